import CommandLineTools
import Glibc
import RunDriver

@main struct Main {
  static func main() { exit(runXbarrun(commandLineWords())) }
}
