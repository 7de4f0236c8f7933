/// Sections of the binary, in the order of the file.
enum SectionKind: UInt32, CaseIterable {
  case machine = 1
  case ports = 2
  case cells = 3
  case maps = 4
  case code = 5
  case data = 6
  case info = 7
  case debug = 8

  /// The name in messages.
  var name: String {
    switch self {
    case .machine: return "MACH"
    case .ports: return "PORT"
    case .cells: return "CELL"
    case .maps: return "MAPS"
    case .code: return "CODE"
    case .data: return "DATA"
    case .info: return "INFO"
    case .debug: return "DBUG"
    }
  }

  /// Whether every file has it, and every reader must understand it.
  var isRequired: Bool { rawValue <= SectionKind.data.rawValue }
}

/// Sizes and numbers of the binary.
enum Layout {
  /// `XBAR`.
  static let magic: [UInt8] = [0x58, 0x42, 0x41, 0x52]
  static let major: UInt16 = 1
  /// The newest minor version; a file carries the oldest one that has what the program needs.
  static let minor: UInt16 = 1
  static let headerBytes = 32
  static let entryBytes = 32
  static let alignment = 64
  static let checksumOffset = 24
  static let fileSizeOffset = 16
  /// In the code of a buffer's element type: numbers follow its shape.
  static let initialFlag = 0x80
  /// Directory flag: the reader must understand the section.
  static let requiredFlag: UInt32 = 1

  /// Where the section after `end` begins.
  static func aligned(_ end: Int) -> Int { (end + alignment - 1) / alignment * alignment }
}

/// Operation codes of instructions.
enum Opcode: UInt8 {
  case loop = 1
  case load = 2
  case drive = 3
  case convert = 4
  case accumulate = 5
  case store = 6
  case digital = 7
  case step = 8
  case stack = 9
}
