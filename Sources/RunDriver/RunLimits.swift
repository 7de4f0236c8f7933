import Executor
import Report
import Support

/// Throws `run.steps` or `run.memory` where a run would take more than `limits`.
func checkWork(_ work: WorkEstimate, _ limits: WorkLimits) throws(Diagnostic) {
  if work.steps > limits.steps {
    throw Diagnostic(
      "run.steps",
      "the run takes about \(grouped(work.steps)) steps over all samples, the limit is \(grouped(limits.steps))",
      notes: ["--max-steps raises the limit, --limit runs fewer samples"])
  }
  if work.memory > limits.memory {
    throw Diagnostic(
      "run.memory",
      "the run takes about \(grouped(work.memory)) bytes of memory, the limit is \(grouped(limits.memory))",
      notes: ["--max-memory raises the limit, fewer --threads take less"])
  }
}
