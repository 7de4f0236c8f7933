import Hardware
import Support
import Tensors

/// Name, summary and every figure by its path.
func encodeMachine(_ machine: Machine) -> [UInt8] {
  var out = ByteWriter()
  out.put(string: machine.name)
  out.put(string: machine.summary)
  out.put32(machine.figures.count)
  for figure in machine.figures {
    out.put(string: figure.path)
    out.put32(Tag.required)
    out.put(figure.value)
  }
  return out.bytes
}

func encodePorts(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  out.put(string: program.name)
  out.put32(program.buffers.count)
  for buffer in program.buffers {
    out.put(string: buffer.name)
    let flag = buffer.initial == nil ? 0 : Layout.initialFlag
    switch buffer.element {
    case .float32:
      out.put8(0 | flag)
      out.put8(32)
    case .integer(let bits, let signed):
      out.put8((signed ? 2 : 1) | flag)
      out.put8(bits)
    }
    out.put16(buffer.shape.count)
    for length in buffer.shape { out.put32(length) }
    if let initial = buffer.initial { encodeNumbers(of: initial, into: &out) }
  }
  for ports in [program.inputs, program.outputs] {
    out.put32(ports.count)
    for port in ports {
      out.put(string: port.name)
      out.put32(port.buffer)
    }
  }
  return out.bytes
}

/// Floats as 4 bytes each, integers as 8.
private func encodeNumbers(of tensor: Tensor, into out: inout ByteWriter) {
  if case .f32(let values) = tensor.data {
    for value in values { out.put(value) }
  } else {
    for value in tensor.integers { out.put(value) }
  }
}

func encodeCells(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  out.put(bytes: encodeCellsHead(crossbars: program.crossbars.count))
  for crossbar in program.crossbars {
    out.put(bytes: packLevels(crossbar.cells, bits: program.machine.array.cellBits))
  }
  return out.bytes
}

/// The start of the section of cells.
func encodeCellsHead(crossbars: Int) -> [UInt8] {
  var out = ByteWriter()
  out.put32(crossbars)
  out.put32(0)
  return out.bytes
}

func encodeInfo(_ info: [InfoEntry]) -> [UInt8] {
  var out = ByteWriter()
  out.put32(info.count)
  for entry in info {
    out.put(string: entry.key)
    out.put(string: entry.text)
  }
  return out.bytes
}
