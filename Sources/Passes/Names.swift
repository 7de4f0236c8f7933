extension Set<String> {
  /// Takes `wish` as a new name, or with the first number from 2 on behind it that makes it one.
  mutating func take(_ wish: String) -> String {
    var name = wish
    var number = 1
    while !insert(name).inserted {
      number += 1
      name = "\(wish).\(number)"
    }
    return name
  }
}
