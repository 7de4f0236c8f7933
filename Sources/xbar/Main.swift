import CommandLineTools
import Glibc
import Workbench

@main struct Main {
  static func main() { exit(runXbar(commandLineWords())) }
}
