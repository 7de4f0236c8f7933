import Mapping
import Support

/// Why a program is refused. The identifier of the diagnostic is `program.` and the raw value.
public enum ProgramFault: String, CaseIterable, Hashable, Sendable {
  // The file as a whole.
  /// The file does not begin with `XBAR`.
  case magic
  /// The major version is not 1 or 2, or the minor version is newer than the reader.
  case version
  /// A required-feature bit is set that the reader does not know.
  case feature
  /// The bytes end before what they announce.
  case truncated
  /// The size in the header is not the size of the file.
  case fileSize = "file-size"
  /// The checksum of header and directory is wrong.
  case headerChecksum = "header-checksum"
  /// The checksum of a section is wrong.
  case sectionChecksum = "section-checksum"
  /// Sections are not in growing order of kind.
  case sectionOrder = "section-order"
  /// A section does not begin at the next multiple of 64 after the one before it, or ends outside of the file.
  case sectionLayout = "section-layout"
  /// A section that must be understood is of an unknown kind.
  case unknownSection = "unknown-section"
  /// A part of a section, or a figure of the machine, that must be understood is unknown.
  case unknownPart = "unknown-part"
  /// A required section is missing.
  case missingSection = "missing-section"
  /// A known section carries the wrong flags or the wrong name.
  case sectionFlags = "section-flags"
  /// A reserved field is not zero.
  case reserved
  /// Padding is not zero.
  case padding
  /// A section has bytes after its last entry.
  case trailing
  /// A count exceeds its limit.
  case limit
  /// A text is not UTF-8.
  case text
  /// A code is none of those that its field allows, parts or figures are out of order, a part has the wrong length or
  /// says what goes without saying, or an optional section is empty.
  case value

  // Instructions as bytes.
  /// An operation code is unknown.
  case opcode
  /// An instruction's length does not fit its operands.
  case instructionLength = "instruction-length"
  /// The numbers of instructions do not add up.
  case instructionCount = "instruction-count"
  /// Constants are not used exactly once in the order of the instructions.
  case constant
  /// Entries of `DBUG` are not in growing order, or name no instruction.
  case origin

  // The program as a value.
  /// A figure of the machine is missing, given twice or out of range.
  case machine
  /// A name is given twice, or is none that the text can write.
  case name
  /// A buffer's shape or type is not allowed.
  case buffer
  /// There is no input or no output, a port's buffer is not of type f32, or two inputs share one.
  case port
  /// An index names nothing.
  case index
  /// A crossbar's cells are not as many as the machine's crossbar has.
  case crossbar
  /// A cell's level needs more bits than a cell has.
  case level
  /// A field of a layer is missing or out of its range, or fields do not go together.
  case layer
  /// There are more or fewer blocks than announced.
  case blockOrder = "block-order"
  /// A block has no wordline or no bitline, or does not fit into its crossbar.
  case blockBounds = "block-bounds"
  /// Segments have gaps in their numbers, share a crossbar, need more crossbars than the machine has, or do not follow
  /// each other in the code.
  case segment
  /// Two blocks share a cell.
  case blockOverlap = "block-overlap"
  /// A wordline's input or shift is out of range.
  case row
  /// A bitline's output or shift is out of range, bitlines are no groups that can be converted together, or a column
  /// layout names one twice.
  case column
  /// An index table's numbers do not ascend, leave its layer, or do not fit their fields; or masks and blocks differ.
  case indexTable = "index-table"
  /// An operation unit's size is out of range or divides bitlines of a conversion, or units of a layer with fetches are not
  /// fixed.
  case unit
  /// A layer could reach values that an accumulator cannot hold.
  case accumulatorRange = "accumulator-range"
  /// Loops nest too deep.
  case depth
  /// A loop's count is out of range, or the program executes too many instructions.
  case loop
  /// A buffer is read before anything writes it.
  case unwritten
  /// A buffer's element type does not fit its use.
  case type
  /// A buffer's size does not fit its use.
  case size
  /// A window's numbers are inconsistent.
  case window
  /// A loop has more rounds than a load has windows or a scan slice has parts, or not as many as a store has
  /// positions or a scan output has parts; or stores leave out channels of their destination.
  case round
  /// A layer is not driven, converted and accumulated in this order within one body.
  case sequence
  /// A digital operator does not accept its arguments or parameters.
  case digital = "operator"

  /// The diagnostic's identifier, such as `program.magic`.
  public var id: String { "program.\(rawValue)" }

  /// A diagnostic of this kind.
  func diagnostic(_ message: String, at location: Location = .none) -> Diagnostic {
    Diagnostic(id, message, at: location)
  }
}

extension ProgramFault {
  /// The fault of a program whose layer has a fault.
  init(_ fault: LayerFault) {
    switch fault {
    case .layer, .cells, .decode: self = .layer
    case .row: self = .row
    case .column: self = .column
    case .indexTable: self = .indexTable
    case .unit: self = .unit
    case .blockBounds: self = .blockBounds
    case .accumulatorRange: self = .accumulatorRange
    }
  }
}

/// A part of a program that a fault is about, by its number.
public enum ProgramPart: Hashable, Sendable {
  /// The machine.
  case machine
  /// The name of the network.
  case name
  /// A buffer.
  case buffer(Int)
  /// A graph input.
  case input(Int)
  /// A graph output.
  case output(Int)
  /// A crossbar.
  case crossbar(Int)
  /// A layer.
  case layer(Int)
  /// A block, numbered in its layer.
  case block(layer: Int, Int)
  /// An instruction, numbered in the order of the text, bodies after their loops.
  case instruction(Int)
  /// An entry of the free text.
  case info(Int)
}

/// A fault with the part that it is about, before it is known where that part lies in a file.
struct Issue: Error {
  let fault: ProgramFault
  let message: String
  let part: ProgramPart

  init(_ fault: ProgramFault, _ message: String, _ part: ProgramPart) {
    self.fault = fault
    self.message = message
    self.part = part
  }
}
