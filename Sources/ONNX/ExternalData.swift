internal import Glibc
internal import Support

// Elements in a file next to the model. What the model says about that file is not trusted: the path may not leave the
// model's folder, and the range must lie inside the file.
extension ModelDecoder {
  /// The storage of a tensor whose elements are in another file.
  mutating func externalStorage(
    _ head: TensorHead, _ type: ONNXElementType, _ count: Int, _ data: TensorData, _ location: Location
  ) throws(Diagnostic) -> TensorStorage {
    guard data.filled.isEmpty else {
      throw Diagnostic(
        "onnx.tensor-storage", "the tensor stores its elements inside and outside the file", at: location,
        notes: ["save the model again, with its weights in one place"])
    }
    guard let needed = type.byteCount(of: count) else {
      throw Diagnostic(
        "onnx.tensor-type", "elements of type \(type.name) cannot be outside the file", at: location,
        notes: [floatAdvice])
    }
    let offset = try number(head, "offset", location) ?? 0
    let length = try number(head, "length", location) ?? needed
    guard length == needed else {
      throw sizeMismatch(
        "\(count) elements of type \(type.name) take \(needed) bytes, but the length is \(length)",
        at: location)
    }
    let file = try externalFile(try value(head, "location", location) ?? "", location)
    guard offset <= file.bytes.count, length <= file.bytes.count - offset else {
      throw Diagnostic(
        "onnx.external-range",
        "\(length) bytes at offset \(offset) lie beyond the end of the data file, which has \(file.bytes.count) bytes",
        at: location, notes: ["the data file is cut off or belongs to another model: copy both files again"])
    }
    return count == 0 ? .empty : .raw(file, ByteRange(start: offset, end: offset + length))
  }

  private func value(_ head: TensorHead, _ key: String, _ location: Location) throws(Diagnostic) -> String? {
    let found = head.external.filter { $0.key == key }
    guard found.count <= 1 else {
      throw Diagnostic(
        "onnx.external-key", "the external data have several entries '\(key)'", at: location,
        notes: ["save the model again with its weights in one data file"])
    }
    return found.first?.value
  }

  private func number(_ head: TensorHead, _ key: String, _ location: Location) throws(Diagnostic) -> Int? {
    guard let text = try value(head, key, location) else { return nil }
    guard let number = Int(text), number >= 0, !text.hasPrefix("+") else {
      throw Diagnostic(
        "onnx.external-key", "the external data's \(key) '\(text)' is not a number of bytes", at: location,
        notes: ["save the model again with its weights in one data file"])
    }
    return number
  }

  private mutating func externalFile(_ name: String, _ location: Location) throws(Diagnostic) -> ByteSource {
    if let known = externalFiles[name] { return known }
    guard externalFiles.count < limits.externalFiles else {
      throw limitExceeded("the weights are in more than \(limits.externalFiles) files", at: location.place)
    }
    guard source.file?.isFile ?? true else {
      throw missing(name, "a model that comes through a pipe has no folder", location)
    }
    let target = try resolvedPath(name, location)
    var info = stat()
    guard stat(target, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      throw missing(name, "it is not a regular file", location)
    }
    let file: InputFile
    do throws(Diagnostic) { file = try InputFile(path: target) } catch {
      throw missing(name, error.message, location)
    }
    let source = ByteSource(file)
    externalFiles[name] = source
    return source
  }

  /// The path of the data file after all links are followed; it must lie inside the model's folder.
  private func resolvedPath(_ name: String, _ location: Location) throws(Diagnostic) -> String {
    guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
      throw leaves(name, name.isEmpty ? "it is empty" : "it leaves the model's folder", location)
    }
    guard let folder = realPath(modelFolder) else { throw missing(name, errorText(errno), location) }
    guard let target = realPath("\(folder)/\(name)") else { throw missing(name, errorText(errno), location) }
    guard target.hasPrefix(folder == "/" ? "/" : "\(folder)/") || isBesideModel(target, folder) else {
      throw leaves(name, "a link leads out of the model's folder", location)
    }
    return target
  }

  /// Whether the model is in a cache as Hugging Face's tools lay it out, and the data file, too: both are links from a folder
  /// inside `snapshots` to files in the folder `blobs` beside that.
  private func isBesideModel(_ target: String, _ folder: String) -> Bool {
    guard let model = realPath(path), let blobs = parent(of: model), parent(of: target) == blobs,
      blobs.hasSuffix("/blobs"), let root = parent(of: blobs)
    else { return false }
    return folder.hasPrefix("\(root)/snapshots/")
  }

  /// The folder of a file whose path begins with a slash; nil for the topmost one.
  private func parent(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return nil }
    return String(path[..<slash])
  }

  private var modelFolder: String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private func missing(_ name: String, _ reason: String, _ location: Location) -> Diagnostic {
    Diagnostic(
      "onnx.external-file", "cannot read the data file '\(name)': \(reason)", at: location,
      notes: ["keep the data file that the exporter wrote in the folder of the model, under the same name"])
  }

  private func leaves(_ name: String, _ reason: String, _ location: Location) -> Diagnostic {
    Diagnostic(
      "onnx.external-path", "the path '\(name)' of the data file is refused: \(reason)", at: location,
      notes: ["copy the data file into the folder of the model and save the model with a plain file name"])
  }
}
