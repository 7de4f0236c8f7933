// Products of inputs and weights of a byte each, for layers whose conversions never saturate.
//
// A *byte panel* holds windows side by side, four inputs of a window in a 32-bit word: panel[groups][lanes][4], with
// inputs 4 g ... 4 g + 3 in group g. Lanes are a multiple of 16. Inputs beyond the last one and lanes beyond the last
// window are 0.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define XBAR_BYTE_LANES 16
// Bytes that may be read after a source and written after the rows of xbar_gather_rows.
#define XBAR_BYTE_SLACK 16

// The windows of an image.
typedef struct {
  size_t channels;
  int32_t height, width;  // of a channel
  int32_t kernel_height, kernel_width;
  int32_t stride_height, stride_width;
  int32_t pad_top, pad_left;
  int32_t dilation_height, dilation_width;
  int32_t out_width;
  uint8_t padding;
} xbar_byte_window;

// For every channel and tap of the kernel a row of `pitch` bytes: its value in windows first ... first + count - 1.
// Up to XBAR_BYTE_SLACK bytes after those of a row are overwritten: `pitch` is to be that much longer than all windows.
void xbar_gather_rows(const xbar_byte_window *window, const uint8_t *source, size_t first, size_t count, uint8_t *rows,
                      size_t pitch);

// Turns rows of `pitch` bytes, one for each input, into a panel; lanes from `windows` on become 0.
void xbar_interleave_rows(const uint8_t *rows, size_t pitch, size_t inputs, size_t windows, size_t lanes,
                          uint8_t *panel);

// Puts the inputs of a window, one after the other, into lane `lane` of a panel.
void xbar_fill_lane(const uint8_t *values, size_t inputs, size_t lane, size_t lanes, uint8_t *panel);

// sums[outputs][lanes]: starts[output] plus the products of inputs with weights[outputs][groups][4]. Inputs are
// unsigned, or with `flip` signed plus 128, which is to have its share in `starts`. All sums fit into 32 bits.
void xbar_multiply_panel(const uint8_t *panel, size_t groups, size_t lanes, const int8_t *weights, size_t outputs,
                         const int32_t *starts, int32_t flip, int32_t *sums);

// Adds to counts[4 * groups] the digits other than 0 that each input has in all lanes, `digit_bits` bits each, of
// magnitudes where inputs are signed. Returns the bits that are set in any magnitude.
uint32_t xbar_count_panel(const uint8_t *panel, size_t groups, size_t lanes, uint32_t digit_bits, int32_t is_signed,
                          uint32_t *counts);

// The values of 32 windows from lane `first` on, with 0 for those beyond the last one: values[4 * groups][32].
void xbar_widen_panel(const uint8_t *panel, size_t groups, size_t lanes, size_t first, int32_t is_signed,
                      int32_t *values);

// A fixed-point factor: clamp((x * multiplier + 2^(shift - 1)) >> shift, low, high) + zero, where multiplier < 2^31 and
// 0 < shift < 63; the result is a byte.
typedef struct {
  int64_t multiplier, shift, low, high, zero;
} xbar_byte_scale;

// Scales `count` sums, a multiple of 16.
void xbar_scale_sums(const int32_t *sums, size_t count, const xbar_byte_scale *scale, uint8_t *bytes);
