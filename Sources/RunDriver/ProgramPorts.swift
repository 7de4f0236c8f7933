public import Evaluation
public import ProgramFormat

extension Program {
  /// The graph inputs with the shapes of a sample.
  public var samplePorts: [SamplePort] {
    inputs.map { SamplePort(name: $0.name, shape: buffers[$0.buffer].shape) }
  }
}
