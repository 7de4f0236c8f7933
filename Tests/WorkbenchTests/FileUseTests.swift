import CommandLineTools
import Testing

@testable import Driver
@testable import RunDriver
@testable import Workbench

private let commands = XbarcCommands.program.commands + xbarProgram.commands + [xbarrunCommand]

/// Whether a value is called like a file in the help: `FILE`, or with a suffix such as `.npz`.
private func looksLikeAFile(_ value: String) -> Bool {
  value.contains("FILE") || value.contains(/[A-Z]\.[a-z]+/)
}

/// All commands are covered by the comparison of files, because each says what its values name.
@Test(arguments: commands.map(\.name)) func valuesThatNameFilesSaySo(name: String) throws {
  let command = try #require(commands.first { $0.name == name })
  for option in command.options {
    let isFile = option.value.map(looksLikeAFile) ?? false
    #expect(isFile == (option.file != .none), "\(name) --\(option.name) \(option.value ?? "")")
  }
  for positional in command.positionals {
    #expect(looksLikeAFile(positional.name) == (positional.file != .none), "\(name) \(positional.name)")
  }
}
