import Foundation
import Glibc
import Testing

/// What the programs write: all or nothing, and nothing else in the folder.
@Suite("Outputs of the programs")
struct OutputSafetyTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func contents(_ name: String) -> Data? {
    FileManager.default.contents(atPath: scratch.path(name))
  }

  /// `digits` as a model `m.onnx` and a program `p.xbar`, with samples `t.npz`, in the folder, and a link `own-stdout` that
  /// does what `/dev/stdout` does: a mistake in the programs destroys nothing of the machine.
  private func prepare() throws {
    let ended = try scratch.shell(
      "ln -s /proc/self/fd/1 own-stdout && cp $1 m.onnx && cp $2 t.npz && xbarc compile m.onnx -o p.xbar --quiet",
      modelPath("digits"), dataPath("digits", "test"))
    #expect(ended.status == 0, "\(ended.errors)")
  }

  // MARK: Outputs that destroy

  /// Each would destroy an input or another output; the message names both.
  @Test(arguments: [
    ("xbarc compile m.onnx -o m.onnx", "--output", "MODEL.onnx"),
    ("xbarc compile m.onnx -o soft.onnx", "--output", "MODEL.onnx"),
    ("xbarc compile m.onnx -o hard.onnx", "--output", "MODEL.onnx"),
    ("xbarc compile soft.onnx -o ././m.onnx", "--output", "MODEL.onnx"),
    ("xbarc compile m.onnx -o x --calibration t.npz --report t.npz", "--report", "--calibration"),
    ("xbarc compile m.onnx -o x --target ./sre.json --html sre.json", "--html", "--target"),
    ("xbarc compile m.onnx -o z --report z --html z", "--output", "--report"),
    ("xbarc compile m.onnx -o z --report ./z", "--output", "--report"),
    ("xbarc compile m.onnx -o z --report dangling", "--output", "--report"),
    ("xbarc compile m.onnx -o z --emit program --report z.npz", "--output", "--report"),
    ("xbarc compile m.onnx -o t --emit tensor --calibration t.npz", "--output", "--calibration"),
    ("xbarc compile m.onnx -o - --report -", "--output", "--report"),
    ("xbarc compile m.onnx -o - --report own-stdout", "--output", "--report"),
    ("xbarc import m.onnx -o soft.onnx", "--output", "MODEL.onnx"),
    ("xbarc eval m.onnx --input t.npz --output t.npz", "--output", "--input"),
    ("xbarc eval m.onnx --input t.npz --labels l.npy --output l.npy", "--output", "--labels"),
    ("xbarc prune m.onnx -o m.onnx", "--output", "MODEL.onnx"),
    ("xbarc prune m.onnx -o x.onnx --masks x.onnx", "--output", "--masks"),
    ("xbarc disassemble p.xbar -o p.xbar", "--output", "PROGRAM.xbar"),
    ("xbarc assemble p.xir -o p.xir.npz", "--output", "T.xir"),
    ("xbarc opt p.xir --pipeline '' -o p.xir", "--output", "IN.xir"),
    ("xbarrun p.xbar --input t.npz -o t.npz", "--output", "--input"),
    ("xbarrun p.xbar --input t.npz --metrics p.xbar", "--metrics", "PROGRAM.xbar"),
    ("xbarrun p.xbar --input t.npz --output - --metrics -", "--output", "--metrics"),
    ("xbarrun p.xbar --input t.npz --trace z --html z", "--html", "--trace"),
    ("xbarrun p.xbar --input t.npz --faults f.csv --metrics f.csv", "--metrics", "--faults"),
    ("xbarrun p.xbar --input t.npz --device ./own.json --metrics own.json", "--metrics", "--device"),
    ("xbar compare m.onnx --schemes dense --input t.npz --json t.npz", "--json", "--input"),
    ("xbar sweep m.onnx --input t.npz --over adc=5 --csv m.onnx", "--csv", "MODEL.onnx"),
    ("xbar sweep m.onnx --input t.npz --over adc=5 --csv z --svg z", "--csv", "--svg"),
    ("xbar errors --device own.json,./sre.json --csv sre.json", "--csv", "--device"),
    ("xbarrun p.xbar --input t.npz --metrics out > out", "standard output", "--metrics"),
    ("xbarc inspect p.xbar >> p.xbar", "standard output", "PROGRAM.xbar"),
  ]) func nothingThatIsNamedIsDestroyed(command: String, first: String, second: String) throws {
    defer { scratch.remove() }
    try prepare()
    let ready = try scratch.shell(
      "ln m.onnx hard.onnx; ln -s m.onnx soft.onnx; ln -s z dangling; "
        + "echo '{}' > sre.json; echo '{}' > own.json; echo > f.csv; echo > l.npy; "
        + "xbarc disassemble p.xbar -o p.xir && mkdir before && cp m.onnx t.npz p.xbar p.xir p.xir.npz before"
    )
    #expect(ready.status == 0, "\(ready.errors)")
    let before = scratch.files
    let ended = try scratch.shell(command)
    #expect(ended.status == 2, "\(command): \(ended.errors)")
    for word in [first, second, "usage.same-file"] {
      #expect(ended.errors.contains(word), "\(command): \(ended.errors)")
    }
    for name in ["m.onnx", "t.npz", "p.xbar", "p.xir", "p.xir.npz"] {
      #expect(contents(name) == contents("before/\(name)"), "\(command): \(name)")
    }
    #expect(scratch.files.filter { $0 != "out" } == before, "\(command)")
  }

  /// The model alone tells which files hold its weights.
  @Test func dataFilesOfAModelAreNotReplaced() throws {
    defer { scratch.remove() }
    let data = try scratch.writeModelWithData(rows: 8, columns: 4)
    for command in [
      "xbarc compile ext.onnx -o weights.bin", "xbarc import ext.onnx -o ./weights.bin",
      "xbarc eval ext.onnx --input t.npy --output weights.bin", "xbarc prune ext.onnx -o weights.bin",
    ] {
      let ended = try scratch.shell(command)
      #expect(
        ended.status == 2 && ended.errors.contains("data file of MODEL.onnx"), "\(command): \(ended.errors)")
      #expect(contents("weights.bin") == data)
    }
  }

  @Test(arguments: [
    "xbarc compile - --calibration - -o x < m.onnx", "xbarrun - --input - < p.xbar",
    "xbarrun p.xbar --input fifo --labels ./fifo", "xbarrun p.xbar --input /dev/stdin --labels - < t.npz",
  ]) func aStreamIsReadOnce(command: String) throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell("mkfifo fifo; timeout 60 \(command)")
    #expect(ended.status == 2 && ended.errors.contains("usage.same-file"), "\(command): \(ended.errors)")
  }

  @Test(arguments: [
    "xbarc prune - -o x < m.onnx", "cat m.onnx | xbar compare /dev/stdin --schemes dense --input t.npz",
    "xbar compare m.onnx --schemes dense --input <(cat t.npz)",
    "xbar sweep <(cat m.onnx) --input t.npz --over adc=5",
  ]) func whatIsReadSeveralTimesIsNoPipe(command: String) throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell(command)
    #expect(ended.status == 2 && ended.errors.contains("usage.pipe"), "\(command): \(ended.errors)")
  }

  // MARK: All or nothing

  @Test func aTextAndItsSideFileAreWrittenTogether() throws {
    defer { scratch.remove() }
    try prepare()
    let ready = try scratch.shell("mkdir d.xir e.xir.npz")
    #expect(ready.status == 0)
    let before = scratch.files
    for command in [
      "xbarc disassemble p.xbar -o d.xir", "xbarc compile m.onnx --emit program -o d.xir --quiet",
      "xbarc import m.onnx -o e.xir", "xbarc import m.onnx -o d.xir",
    ] {
      let ended = try scratch.shell(command)
      #expect(ended.status == 1 && ended.errors.contains("io.write"), "\(command): \(ended.errors)")
      #expect(scratch.files == before, "\(command)")
    }
  }

  @Test func allFilesOfARunAreWrittenOrNone() throws {
    defer { scratch.remove() }
    try prepare()
    let before = scratch.files
    for command in [
      "xbarrun p.xbar --input t.npz -o y.npz --metrics m.json --html no/such.html -q",
      "xbarc prune m.onnx -o q.onnx --masks no/such.npz --scheme dense",
      "xbarc compile m.onnx -o q.xbar --report r.json --html no/such.html --quiet",
      "xbar sweep m.onnx --input t.npz --limit 5 --over adc=5 --csv c.csv --json no/such.json -q",
    ] {
      let ended = try scratch.shell(command)
      #expect(ended.status == 1 && ended.errors.contains("io.write"), "\(command): \(ended.errors)")
      #expect(scratch.files == before, "\(command)")
    }
  }

  @Test func linksStayAndModesAreKept() throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell(
      """
      set -e
      mkdir sub; echo old > sub/real.xbar; chmod 640 sub/real.xbar; ln -s sub/real.xbar link.xbar
      xbarc compile m.onnx -o link.xbar --quiet
      test -L link.xbar && cmp sub/real.xbar p.xbar && stat -c %a sub/real.xbar
      ln -s sub/new.xbar dangling.xbar; umask 027
      xbarc compile m.onnx -o dangling.xbar --quiet
      test -L dangling.xbar && cmp sub/new.xbar p.xbar && stat -c %a sub/new.xbar
      """)
    #expect(ended.status == 0 && ended.output == "640\n640\n", "\(ended.output)\(ended.errors)")
    let refused = try scratch.shell("chmod 444 sub/real.xbar; xbarc compile m.onnx -o link.xbar --quiet")
    #expect(refused.status == 1 && refused.errors.contains("read-only"))
    #expect(contents("sub/real.xbar") == contents("p.xbar"))
  }

  /// The redirected file gets the bytes; the link to the descriptor stays.
  @Test func standardOutputIsWrittenWhateverItIsCalled() throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell(
      """
      set -e
      xbarc compile m.onnx -o own-stdout --quiet > a
      test -L own-stdout
      (echo before; xbarc compile m.onnx -o own-stdout --quiet; echo after) > b
      (echo before; cat p.xbar; echo after) | cmp - b
      xbarc compile m.onnx -o /dev/fd/3 --quiet 3> c
      xbarc compile m.onnx -o /dev/fd/3 --quiet 3>&1 > /dev/null | cat > d
      mkfifo fifo; cat fifo > e & xbarc compile m.onnx -o fifo --quiet; wait $!
      test -p fifo
      for name in a c d e; do cmp p.xbar $name; done
      """)
    #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
  }

  /// Nothing else is printed where an output goes to standard output.
  @Test(arguments: [
    "xbar compare m.onnx --schemes dense --input t.npz --limit 5 --json -",
    "xbar sweep m.onnx --input t.npz --limit 5 --over adc=5 --json own-stdout",
    "xbarc compile m.onnx -o x --report -",
    "xbarrun p.xbar --input t.npz --limit 5 --metrics own-stdout",
  ]) func standardOutputHoldsTheOutputAlone(command: String) throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell("\(command) | cat")
    #expect(throws: Never.self, "\(command): \(ended.output)") {
      try JSONSerialization.jsonObject(with: Data(ended.output.utf8))
    }
  }

  // MARK: Leftovers

  /// The temporary file of 0.1 could be foreseen, and planted as a link to any file of the user.
  @Test func plantedLinksAreNotFollowed() throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell(
      """
      echo precious > victim
      for name in out.xbar r.json; do
        bash -c 'ln -s victim $1.$$.tmp; exec xbarc compile m.onnx -o out.xbar --report r.json --quiet' - $name
      done
      cat victim
      """)
    #expect(ended.output == "precious\n" && ended.status == 0, "\(ended.output)\(ended.errors)")
    #expect(contents("out.xbar") == contents("p.xbar"))
  }

  @Test func namesOf255BytesWork() throws {
    defer { scratch.remove() }
    try prepare()
    let name = String(repeating: "n", count: 250) + ".xbar"
    #expect(try scratch.shell("xbarc compile m.onnx -o $1 --quiet && cmp $1 p.xbar", name).status == 0)
  }

  /// A signal at any moment: the old file or the new one, and nothing beside it.
  @Test(arguments: ["INT", "TERM", "HUP", "XFSZ", "QUIT", "SEGV"])
  func signalsLeaveNothing(signal: String) throws {
    defer { scratch.remove() }
    try prepare()
    let ended = try scratch.shell(
      """
      set -m
      echo old > old
      declare -A seen
      ulimit -c 0
      for i in {1..12}; do
        cp old out.xir; cp old out.xir.npz
        xbarc compile $2 -o out.xir --emit program --quiet 2> said &
        pid=$!
        # Half of the signals come when a temporary file is there, half at any moment.
        if (( i % 2 )); then
          for k in {1..300}; do compgen -G '.xbar-*' > /dev/null && break; sleep 0.005; done
        else
          sleep 0.$(( RANDOM % 4 ))$(( RANDOM % 10 ))
        fi
        kill -$1 $pid 2> /dev/null
        wait $pid
        status=$?
        seen[$status]=1
        ls -A | grep -E '^\\.xbar|tmp$' && echo "left after status $status"
        a=$(cmp -s old out.xir && echo old || echo new)
        b=$(cmp -s old out.xir.npz && echo old || echo new)
        [ $a = $b ] || echo "$a text beside $b side file"
      done 2> /dev/null
      echo "statuses: ${!seen[@]}"
      """, signal, modelPath("lenet5"))
    #expect(ended.output.split(separator: "\n").count == 1, "\(ended.output)")
    let number = try #require(["INT": 2, "TERM": 15, "HUP": 1, "XFSZ": 25, "QUIT": 3, "SEGV": 11][signal])
    #expect(ended.output.contains("\(128 + number)"), "\(ended.output)")
    #expect(ended.status == 0)
  }

  /// The limit of the shell stops the write: a message, and nothing is left.
  @Test func aFileBeyondTheLimitIsAnError() throws {
    defer { scratch.remove() }
    try prepare()
    let before = scratch.files
    let ended = try scratch.shell("ulimit -f 8; exec xbarc compile m.onnx -o big.xbar --quiet")
    #expect(ended.status == 1 && ended.errors.contains("io.write"), "\(ended.status) \(ended.errors)")
    #expect(scratch.files == before)
  }

  /// A full disk and devices, in a mount namespace of their own, where nothing of the machine can be harmed.
  @Test func fullDisksAndDevicesAreReported() throws {
    defer { scratch.remove() }
    try prepare()
    guard try scratch.shell("unshare -r -m true").status == 0 else {
      print("no mount namespaces here: full disks are not tried")
      return
    }
    let ended = try scratch.shell(
      """
      mkdir disk dev; touch full null
      unshare -r -m bash -c '
        mount -t tmpfs -o size=8k tmpfs disk && mount --bind /dev/full full && mount --bind /dev/null null || exit 9
        mount -t tmpfs tmpfs dev && ln -s /proc/self/fd/1 dev/stdout || exit 9
        xbarc compile m.onnx -o disk/p.xbar --quiet; echo $?; ls -A disk
        xbarc import m.onnx -o disk/m.xir; echo $?; ls -A disk
        xbarc compile m.onnx -o full --quiet; echo $?; test -c full || echo gone
        xbarc compile m.onnx -o null --report null --quiet; echo $?; test -c null || echo gone
        xbarc compile m.onnx -o dev/stdout --quiet > q.xbar; cmp p.xbar q.xbar; test -L dev/stdout || echo gone
      '
      """)
    #expect(ended.output == "1\n1\n1\n0\n", "\(ended.output)\(ended.errors)")
    #expect(ended.errors.contains("No space left on device"))
  }
}
