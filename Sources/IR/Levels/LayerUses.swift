import Support

extension Module {
  /// The layers that the operations of the body use, in the order in which they run: those of a `col2im`, of a whole
  /// scan, of a `drive`. Operations that use none are left out.
  public var layerUses: [[String]] {
    var producers: [ValueID: String] = [:]
    func used(_ id: OpID) -> [String] {
      let op = ops[id]
      switch op.opcode.kind {
      case .mvm:
        if let result = op.results.first { producers[result] = op[.layer] }
        return []
      case .col2im: return op.operands.compactMap { producers[$0] }
      case .drive: return [op[.layer]]
      case .scan, .repeat: return op.body.flatMap(used)
      case .input, .output, .constant, .conv, .gemm, .batchNorm, .digital, .carry, .scanSlice, .yield,
        .scanOutput,
        .window, .layer, .block, .buffer, .crossbar, .load, .convert, .accumulate, .store:
        return []
      }
    }
    return body.map(used).filter { !$0.isEmpty }
  }
}
