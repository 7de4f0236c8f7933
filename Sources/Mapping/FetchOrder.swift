/// When the inputs of a layer come from memory into the input buffers of its crossbars (ReCom, DATE 2018; reference:
/// section 5.3).
///
/// A buffer holds the inputs of the wordlines that blocks share. Where the layer has sparsity masks, only inputs in use
/// enter it, and only those other than 0 are delivered to the crossbars.
public enum FetchOrder: String, CaseIterable, Hashable, Sendable, BitwiseCopyable {
  /// A buffer is filled, then computed.
  case serial
  /// A buffer is filled while the one before it is computed; a layer leaves out those that deliver nothing then.
  case doubleBuffered = "double-buffered"
}
