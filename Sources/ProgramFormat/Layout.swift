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
  case plan = 9

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
    case .plan: return "PLAN"
    }
  }

  /// The kind of a number; nil where that version of the format has none.
  init?(_ kind: Int, version: Int) {
    self.init(rawValue: UInt32(truncatingIfNeeded: kind))
    if version == 1 && self == .plan { return nil }
  }

  /// Whether every file has it, and every reader must understand it.
  var isRequired: Bool { self != .info && self != .debug }
}

/// Sizes and numbers of the binary.
enum Layout {
  /// `XBAR`.
  static let magic: [UInt8] = [0x58, 0x42, 0x41, 0x52]
  /// The version that is written.
  static let major: UInt16 = 2
  static let minor: UInt16 = 0
  /// The newest minor version of version 1, which is still read.
  static let minorOfVersion1 = 1
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
  case scanSlice = 8
  case scanOutput = 9
}
