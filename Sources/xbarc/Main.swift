import CommandLineTools
import Driver
import Glibc

@main struct Main {
  static func main() { exit(runXbarc(commandLineWords())) }
}
