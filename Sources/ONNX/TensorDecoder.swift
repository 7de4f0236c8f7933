internal import COnnx
internal import Support

/// The fields of a tensor that hold its elements.
enum TypedField {
  static let floats = 4
  static let int32s = 5
  static let strings = 6
  static let int64s = 7
  static let raw = 9
  static let doubles = 10
  static let uint64s = 11
}

/// What a tensor belongs to, for messages about it.
enum TensorOwner {
  case initializer(Int)
  case attribute(NodeOrigin, String)
  case file

  func location(file: String, name: String) -> Location {
    switch self {
    case .initializer(let index):
      Location(file: file, .item(name.isEmpty ? "initializer \(index)" : "initializer '\(name)'"))
    case .attribute(let node, _): Location(file: file, .node(node))
    case .file: Location(file: file, .item(name.isEmpty ? "tensor" : "tensor '\(name)'"))
    }
  }
}

/// The part of a tensor that protobuf-c unpacks.
struct TensorHead {
  var name = ""
  var dimensions: [Int64] = []
  var type = 0
  var isSegment = false
  var isExternal = false
  var external: [(key: String, value: String)] = []
}

/// How many bytes and pieces each field with elements has.
struct TensorData {
  struct Part {
    var bytes = 0
    var pieces = 0
    var last = ByteRange(start: 0, end: 0)
  }

  var parts: [Int: Part] = [:]

  /// The fields that hold something, in ascending order; an empty piece of raw data counts as nothing.
  var filled: [Int] { parts.filter { $0.value.bytes > 0 || $0.key == TypedField.strings }.keys.sorted() }
}

extension ModelDecoder {
  /// The tensor in `range`.
  mutating func tensor(_ range: ByteRange, _ owner: TensorOwner) throws(Diagnostic) -> ONNXTensor {
    let split = try split(range, small: [1, 2, 3, 8, 13, 14], parts: [])
    let head = try unpack(
      split.small, onnx_tensor_descriptor(), as: Onnx__TensorProto.self, from: range, tensorHead)
    let location = owner.location(file: path, name: head.name)
    do throws(Diagnostic) {
      return try tensor(head, range, location)
    } catch {
      guard case .attribute(_, let name) = owner else { throw error }
      var named = error
      named.message = "attribute '\(name)': \(error.message)"
      throw named
    }
  }

  private mutating func tensor(
    _ head: TensorHead, _ range: ByteRange, _ location: Location
  ) throws(Diagnostic) -> ONNXTensor {
    guard let type = ONNXElementType(rawValue: head.type) else {
      throw Diagnostic(
        "onnx.tensor-type", "element type \(head.type) is unknown", at: location, notes: [floatAdvice])
    }
    guard !head.isSegment else {
      throw Diagnostic(
        "onnx.tensor-segment", "the tensor is one segment of a larger one, which is not read", at: location,
        notes: ["store the tensor in one piece or in a file next to the model"])
    }
    let shape = try shape(head, location)
    let count = try count(shape, location)
    let data = try tensorData(range, location)
    let storage =
      head.isExternal
      ? try externalStorage(head, type, count, data, location)
      : try storage(data, type, count, range, location)
    return ONNXTensor(
      name: head.name, shape: shape, elementType: type, count: count, location: location, storage: storage)
  }

  private func shape(_ head: TensorHead, _ location: Location) throws(Diagnostic) -> [Int] {
    guard head.dimensions.count <= limits.rank else {
      throw limitExceeded("the tensor has more than \(limits.rank) dimensions", at: location.place)
    }
    let shape = head.dimensions.compactMap { Int(exactly: $0) }
    guard shape.count == head.dimensions.count, shape.allSatisfy({ $0 >= 0 }) else {
      throw Diagnostic(
        "onnx.tensor-shape", "the shape \(head.dimensions) has a negative dimension", at: location,
        notes: ["the file is damaged, or its exporter is broken: export the model again"])
    }
    return shape
  }

  private func count(_ shape: [Int], _ location: Location) throws(Diagnostic) -> Int {
    if shape.contains(0) { return 0 }
    guard let count = checkedProduct(shape), count <= limits.elements else {
      throw limitExceeded("the shape \(shape) has more than \(limits.elements) elements", at: location.place)
    }
    return count
  }

  private func tensorData(_ range: ByteRange, _ location: Location) throws(Diagnostic) -> TensorData {
    var data = TensorData()
    var reader = WireReader(source.bytes, range)
    while let field = try reader.next() {
      switch field.number {
      case TypedField.floats, TypedField.doubles:
        let size = field.number == TypedField.floats ? 4 : 8
        guard field.payload.count % size == 0 else {
          throw sizeMismatch(
            "\(field.payload.count) bytes of data are not a multiple of \(size)", at: location)
        }
      case TypedField.int32s, TypedField.int64s, TypedField.uint64s, TypedField.strings, TypedField.raw: break
      default: continue
      }
      var part = data.parts[field.number] ?? TensorData.Part()
      part.bytes += field.payload.count
      part.pieces += 1
      part.last = field.payload
      data.parts[field.number] = part
    }
    return data
  }
}

private func tensorHead(_ raw: Onnx__TensorProto) -> TensorHead {
  TensorHead(
    name: text(raw.name),
    dimensions: Array(array(raw.dims, raw.n_dims)),
    type: raw.has_data_type == 0 ? 0 : Int(raw.data_type),
    isSegment: raw.segment != nil,
    isExternal: raw.has_data_location != 0
      && raw.data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL,
    external: array(raw.external_data, raw.n_external_data).compactMap { entry in
      entry.map { (text($0.pointee.key), text($0.pointee.value)) }
    })
}
