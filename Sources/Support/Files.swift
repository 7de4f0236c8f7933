import Glibc

/// Writes `text` to standard error; failures are ignored, as there is nowhere to report them.
public func writeToStandardError(_ text: String) {
  _ = writeAll(Array(text.utf8), to: 2)
}

/// Whether a word that may be the name of something built in is the path of a file.
public func namesFile(_ word: String) -> Bool { word.hasSuffix(".json") || word.contains("/") }

/// The system's words for an error number.
public func errorText(_ code: CInt) -> String {
  String(cString: strerror(code))
}

/// Writes all of `bytes`; false where that fails.
func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
  bytes.withUnsafeBytes { raw in
    var done = 0
    while done < raw.count {
      let step = write(descriptor, raw.baseAddress?.advanced(by: done), raw.count - done)
      if step < 0 && errno == EINTR { continue }
      if step <= 0 { return false }
      done += step
    }
    return true
  }
}
