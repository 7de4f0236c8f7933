import ProgramFormat
import Tensors

/// Copies window number `position` of `source` into `target`; places in the padding become `padding`.
func loadWindow<Source: FixedWidthInteger, Target: FixedWidthInteger>(
  _ window: Window, position: Int, from source: UnsafePointer<Source>,
  into target: UnsafeMutablePointer<Target>, padding: Target
) {
  let positions = window.outHeight * window.outWidth
  let spot = position % positions
  let top = spot / window.outWidth * window.strideHeight - window.padTop
  let left = spot % window.outWidth * window.strideWidth - window.padLeft
  let plane = window.height * window.width
  var channel = source + (position / positions * window.channels + window.channelStart) * plane
  var place = target
  for _ in 0..<window.channelCount {
    for kernelRow in 0..<window.kernelHeight {
      let y = top + kernelRow * window.dilationHeight
      if y >= 0 && y < window.height {
        loadRow(window, left: left, from: channel + y * window.width, into: place, padding: padding)
      } else {
        for k in 0..<window.kernelWidth { place[k] = padding }
      }
      place += window.kernelWidth
    }
    channel += plane
  }
}

@inline(__always)
private func loadRow<Source: FixedWidthInteger, Target: FixedWidthInteger>(
  _ window: Window, left: Int, from row: UnsafePointer<Source>, into target: UnsafeMutablePointer<Target>,
  padding: Target
) {
  let width = window.kernelWidth
  if window.dilationWidth == 1 && left >= 0 && left + width <= window.width {
    for k in 0..<width { target[k] = Target(truncatingIfNeeded: row[left + k]) }
    return
  }
  for k in 0..<width {
    let x = left + k * window.dilationWidth
    target[k] = x >= 0 && x < window.width ? Target(truncatingIfNeeded: row[x]) : padding
  }
}

/// Copies `count` elements of a register to the place of round `round` in `destination`.
func storeRegister<Element>(
  _ place: OutputLayout, round: Int, count: Int, from register: UnsafePointer<Element>,
  into destination: UnsafeMutablePointer<Element>
) {
  let image = round / place.positions
  let first = (image * place.channels + place.channelStart) * place.positions + round % place.positions
  for k in 0..<count { destination[first + k * place.positions] = register[k] }
}
