extension Set<String> {
  /// Takes `desired` as a new name, or with the first number from 2 on appended that makes it unique.
  mutating func unique(_ desired: String) -> String {
    var name = desired
    var number = 1
    while !insert(name).inserted {
      number += 1
      name = "\(desired).\(number)"
    }
    return name
  }
}
