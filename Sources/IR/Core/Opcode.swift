/// Every operation of every level; `spec` is its row in the table of operations.
public enum Opcode: String, Hashable, Sendable, CaseIterable {
  // Frame.
  case input, output, constant
  // Matrix operators of networks, tensor level.
  case conv, gemm
  case batchNorm = "batch-norm"
  // Digital operators, every level.
  case relu
  case leakyRelu = "leaky-relu"
  case clip, sigmoid, tanh
  case hardSigmoid = "hard-sigmoid"
  case hardSwish = "hard-swish"
  case elu, softplus, exp, log, sqrt, abs, negate, erf, floor, round, sign, ceil
  case add, subtract, multiply, divide, maximum, minimum, greater, equal, power
  case select, softmax, matmul
  case maxPool = "max-pool"
  case averagePool = "average-pool"
  case mean
  case reduceMax = "reduce-max"
  case argMax = "arg-max"
  case reshape, transpose, concat, pad, slice, gather
  case quantize, dequantize, requantize
  case addBias = "add-bias"
  case lookup
  // Scans, tensor and crossbar level; scan slices and outputs at every level.
  case scan, carry
  case scanSlice = "scan-slice"
  case yield
  case scanOutput = "scan-output"
  // Crossbar level.
  case window, mvm, col2im
  // Crossbar and program level.
  case layer, block
  // Program level.
  case buffer, crossbar, load, drive, convert, accumulate, store
  case `repeat`
}
