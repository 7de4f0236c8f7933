// Dispatch of the kernels, and those that need no special instructions.
#include "analog.h"
#include "bytes.h"
#include "kernels.h"

// Products and sums stay apart, so that all variants round alike.
#pragma STDC FP_CONTRACT OFF

typedef struct {
  void (*split_nibbles)(const xbar_nibble_map *, const uint32_t *, size_t, size_t, uint8_t *, uint64_t *);
  void (*split_rows)(const uint32_t *, const uint32_t *, const uint8_t *, uint32_t, uint32_t, uint64_t *);
  void (*fill_tables)(const uint8_t *, size_t, uint32_t, const int32_t *, uint32_t, int32_t, void *);
  int64_t (*convert_fixed)(const xbar_fixed_strip *, const uint8_t *, const uint64_t *, size_t, uint32_t *);
  int64_t (*convert_dynamic)(const xbar_dynamic_strip *, const uint64_t *, size_t, uint32_t *);
  int64_t (*convert_sparse)(const xbar_sparse_strip *, const uint32_t *, uint8_t *, uint32_t *);
  int64_t (*convert_listed)(const xbar_listed_strip *, const uint32_t *, const uint32_t *, const uint32_t *, size_t,
                            uint64_t *);
  int64_t (*convert_composed)(const xbar_composed_strip *, const uint32_t *, const uint32_t *, const uint32_t *,
                              size_t, uint64_t *);
  void (*multiply)(const int32_t *, size_t, size_t, const int32_t *, size_t, size_t, int32_t, int64_t *, size_t);
  void (*multiply_gathered)(const int32_t *, size_t, const uint32_t *, const uint32_t *, const int32_t *, size_t,
                            int32_t, int64_t *, size_t);
  uint32_t (*split_signs)(const int32_t *, size_t, uint32_t *, uint32_t *);
  void (*count_digits)(const uint32_t *, size_t, size_t, uint32_t, uint32_t, uint32_t *);
  void (*transpose)(const int32_t *, size_t, size_t, int32_t *);
  void (*build_planes)(const uint32_t *, const xbar_plane_word *, size_t, uint32_t, uint32_t, uint32_t, uint64_t *);
  void (*count_units)(const xbar_wordline_masks *, const uint64_t *, size_t, uint32_t, uint32_t *);
  void (*draw)(const xbar_random_key *, const uint32_t *, size_t, uint32_t *, float *);
  void (*program_cells)(const xbar_cell_table *, const uint8_t *, size_t, uint32_t, float *);
  void (*fill_analog)(const float *, uint32_t, const int32_t *, uint32_t, float *);
  void (*analog_fixed)(const xbar_analog_fixed *, const uint8_t *, size_t, const xbar_window_numbers *, int64_t *,
                       xbar_analog_counts *);
  void (*analog_listed)(const xbar_analog_listed *, const uint32_t *, const uint32_t *, const uint32_t *, size_t,
                        const xbar_window_numbers *, int64_t *, xbar_analog_counts *);
  void (*multiply_panel)(const uint8_t *, size_t, size_t, const int8_t *, size_t, const int32_t *, int32_t, int32_t *);
  void (*interleave_rows)(const uint8_t *, size_t, size_t, size_t, size_t, uint8_t *);
  uint32_t (*count_panel)(const uint8_t *, size_t, size_t, uint32_t, int32_t, uint32_t *);
  void (*scale_sums)(const int32_t *, size_t, const xbar_byte_scale *, uint8_t *);
  void (*widen_panel)(const uint8_t *, size_t, size_t, size_t, int32_t, int32_t *);
} kernel_table;

// Functions that take vectors are inlined, so how they would be passed does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

// COUNTS_BITS: whether there is an instruction that counts the bits of every lane of a vector.
#define COUNTS_BITS 0
// GATHER_BITS: the width of the vectors that an instruction loads from places that another vector names; 0 for none.
#define GATHER_BITS 0
// BYTE_DOT: how four bytes are multiplied and added, see bytes_body.h.
#define BYTE_DOT 0

#define NAME(x) x##_portable
#define TARGET
#include "kernels_body.h"
#include "analog_body.h"
#include "bytes_body.h"
#include "kernel_table.h"
#undef NAME
#undef TARGET

#if defined(__x86_64__)
#include <immintrin.h>
#undef GATHER_BITS
#define GATHER_BITS 256
#undef BYTE_DOT
#define BYTE_DOT 1
#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,bmi,popcnt")))
#include "kernels_body.h"
#include "analog_body.h"
#include "bytes_body.h"
#include "kernel_table.h"
#undef NAME
#undef TARGET

#undef GATHER_BITS
#define GATHER_BITS 512
#undef BYTE_DOT
#define BYTE_DOT 2
#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512dq,bmi,popcnt")))
#include "kernels_body.h"
#include "analog_body.h"
#include "bytes_body.h"
#include "kernel_table.h"
#undef NAME
#undef TARGET

#undef COUNTS_BITS
#define COUNTS_BITS 1
#undef BYTE_DOT
#define BYTE_DOT 3
#define NAME(x) x##_avx512_vnni
#define TARGET __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq,avx512vnni,bmi,popcnt")))
#include "kernels_body.h"
#include "analog_body.h"
#include "bytes_body.h"
#include "kernel_table.h"
#undef NAME
#undef TARGET
#endif

static const kernel_table *kernels = &table_portable;
static int32_t level = XBAR_PORTABLE;

int32_t xbar_best_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("popcnt"))
    return XBAR_PORTABLE;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
    return XBAR_AVX2;
  return __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vnni") ? XBAR_AVX512_VNNI
                                                                                         : XBAR_AVX512;
#else
  return XBAR_PORTABLE;
#endif
}

int32_t xbar_level(void) { return level; }

void xbar_use_level(int32_t wanted) {
  const int32_t best = xbar_best_level();
  level = wanted < best ? wanted : best;
  if (level < XBAR_PORTABLE) level = XBAR_PORTABLE;
#if defined(__x86_64__)
  const kernel_table *const tables[] = {&table_portable, &table_avx2, &table_avx512,
                                        &table_avx512_vnni};
  kernels = tables[level];
#endif
}

__attribute__((constructor)) static void choose_level(void) { xbar_use_level(XBAR_AVX512_VNNI); }

void xbar_split_nibbles(const xbar_nibble_map *map, const uint32_t *values, size_t stride, size_t windows,
                        uint8_t *nibbles, uint64_t *active) {
  kernels->split_nibbles(map, values, stride, windows, nibbles, active);
}

void xbar_split_rows(const uint32_t *panel, const uint32_t *inputs, const uint8_t *shifts, uint32_t rows,
                     uint32_t digits, uint64_t *planes) {
  kernels->split_rows(panel, inputs, shifts, rows, digits, planes);
}

void xbar_fill_tables(const uint8_t *cells, size_t stride, uint32_t columns, const int32_t *slot_rows, uint32_t slots,
                      int32_t wide, void *tables) {
  kernels->fill_tables(cells, stride, columns, slot_rows, slots, wide, tables);
}

int64_t xbar_convert_fixed(const xbar_fixed_strip *strip, const uint8_t *nibbles, const uint64_t *active,
                           size_t windows, uint32_t *sums) {
  return kernels->convert_fixed(strip, nibbles, active, windows, sums);
}

int64_t xbar_convert_dynamic(const xbar_dynamic_strip *strip, const uint64_t *planes, size_t windows,
                             uint32_t *sums) {
  return kernels->convert_dynamic(strip, planes, windows, sums);
}

int64_t xbar_convert_sparse(const xbar_sparse_strip *strip, const uint32_t *panel, uint8_t *units, uint32_t *sums) {
  return kernels->convert_sparse(strip, panel, units, sums);
}

int64_t xbar_convert_listed(const xbar_listed_strip *strip, const uint32_t *entries, const uint32_t *unit_starts,
                            const uint32_t *digit_starts, size_t windows, uint64_t *sums) {
  return kernels->convert_listed(strip, entries, unit_starts, digit_starts, windows, sums);
}

int64_t xbar_convert_composed(const xbar_composed_strip *strip, const uint32_t *entries, const uint32_t *unit_starts,
                              const uint32_t *digit_starts, size_t windows, uint64_t *sums) {
  return kernels->convert_composed(strip, entries, unit_starts, digit_starts, windows, sums);
}

void xbar_multiply(const int32_t *values, size_t inputs, size_t windows, const int32_t *weights, size_t outputs,
                   size_t padded, int32_t narrow, int64_t *results, size_t results_stride) {
  kernels->multiply(values, inputs, windows, weights, outputs, padded, narrow, results, results_stride);
}

uint32_t xbar_split_signs(const int32_t *values, size_t count, uint32_t *positive, uint32_t *negative) {
  return kernels->split_signs(values, count, positive, negative);
}

void xbar_multiply_gathered(const int32_t *panel, size_t windows, const uint32_t *starts, const uint32_t *inputs,
                            const int32_t *weights, size_t outputs, int32_t narrow, int64_t *results, size_t stride) {
  kernels->multiply_gathered(panel, windows, starts, inputs, weights, outputs, narrow, results, stride);
}

void xbar_count_digits(const uint32_t *values, size_t inputs, size_t windows, uint32_t digit_bits, uint32_t shift,
                       uint32_t *counts) {
  kernels->count_digits(values, inputs, windows, digit_bits, shift, counts);
}

void xbar_transpose(const int32_t *values, size_t inputs, size_t windows, int32_t *panel) {
  kernels->transpose(values, inputs, windows, panel);
}

void xbar_build_planes(const uint32_t *panel, const xbar_plane_word *words, size_t count, uint32_t first,
                       uint32_t digits, uint32_t digit_bits, uint64_t *planes) {
  kernels->build_planes(panel, words, count, first, digits, digit_bits, planes);
}

void xbar_count_units(const xbar_wordline_masks *masks, const uint64_t *planes, size_t words, uint32_t digits,
                      uint32_t *units) {
  kernels->count_units(masks, planes, words, digits, units);
}

void xbar_draw(const xbar_random_key *key, const uint32_t counter[4], size_t count, uint32_t *words, float *normals) {
  kernels->draw(key, counter, count, words, normals);
}

void xbar_program_cells(const xbar_cell_table *table, const uint8_t *levels, size_t count, uint32_t crossbar,
                        float *conductances) {
  kernels->program_cells(table, levels, count, crossbar, conductances);
}

void xbar_fill_analog(const float *cells, uint32_t parts, const int32_t *slot_rows, uint32_t slots, float *tables) {
  kernels->fill_analog(cells, parts, slot_rows, slots, tables);
}

void xbar_analog_convert_fixed(const xbar_analog_fixed *strip, const uint8_t *nibbles, size_t windows,
                               const xbar_window_numbers *numbers, int64_t *sums, xbar_analog_counts *counts) {
  kernels->analog_fixed(strip, nibbles, windows, numbers, sums, counts);
}

void xbar_analog_convert_listed(const xbar_analog_listed *strip, const uint32_t *entries, const uint32_t *unit_starts,
                                const uint32_t *digit_starts, size_t windows, const xbar_window_numbers *numbers,
                                int64_t *sums, xbar_analog_counts *counts) {
  kernels->analog_listed(strip, entries, unit_starts, digit_starts, windows, numbers, sums, counts);
}

void xbar_list_digits(const xbar_row_map *map, const uint32_t *values, size_t stride, size_t windows,
                      uint32_t *entries, uint32_t *unit_starts, uint32_t *digit_starts) {
  const uint64_t digit_mask = (1ull << map->digit_bits) - 1;
  uint32_t entry = 0;
  uint32_t unit = 0;
  for (size_t w = 0; w < windows; w++) {
    const uint32_t *x = values + w * stride;
    for (uint32_t t = 0; t < map->digits; t++) {
      digit_starts[w * map->digits + t] = unit;
      const uint32_t shift = t * map->digit_bits;
      uint32_t filled = 0;  // entries of the open unit
      uint32_t end = 0;     // first row after the open unit, for fixed units
      for (uint32_t r = 0; r < map->rows; r++) {
        const uint64_t v = (uint64_t)x[map->inputs[r]] << map->shifts[r];
        const uint32_t digit = (uint32_t)((v >> shift) & digit_mask);
        if (digit == 0) continue;
        if (filled == 0 || (map->dynamic ? filled == map->unit_height : r >= end)) {
          unit_starts[unit++] = entry;
          filled = 0;
          end = (r / map->unit_height + 1) * map->unit_height;
        }
        entries[entry++] = r | digit << 16;
        filled++;
      }
    }
  }
  digit_starts[windows * map->digits] = unit;
  unit_starts[unit] = entry;
}

// 64-bit products and sums wrap; a valid program keeps them below 2^62.
void xbar_add_columns32(const uint32_t *sums, size_t windows, uint32_t columns, const uint32_t *outputs,
                        const int64_t *weights, int32_t subtract, int64_t *results, size_t stride) {
  const uint64_t sign = subtract ? ~0ull : 1;
  for (size_t w = 0; w < windows; w++) {
    uint64_t *y = (uint64_t *)(results + w * stride);
    const uint32_t *s = sums + w * XBAR_STRIP;
    for (uint32_t c = 0; c < columns; c++) y[outputs[c]] += (sign * (uint64_t)weights[c]) * s[c];
  }
}

void xbar_add_columns64(const uint64_t *sums, size_t windows, uint32_t columns, const uint32_t *outputs,
                        const int64_t *weights, int32_t subtract, int64_t *results, size_t stride) {
  const uint64_t sign = subtract ? ~0ull : 1;
  for (size_t w = 0; w < windows; w++) {
    uint64_t *y = (uint64_t *)(results + w * stride);
    const uint64_t *s = sums + w * XBAR_STRIP;
    for (uint32_t c = 0; c < columns; c++) y[outputs[c]] += (sign * (uint64_t)weights[c]) * s[c];
  }
}

void xbar_add_panel(const uint32_t *sums, size_t windows, uint32_t columns, const uint32_t *outputs,
                    const int64_t *weights, int32_t subtract, int64_t *results, size_t stride) {
  const uint64_t sign = subtract ? ~0ull : 1;
  for (size_t w = 0; w < windows; w++) {
    uint64_t *y = (uint64_t *)(results + w * stride);
    for (uint32_t c = 0; c < columns; c++) y[outputs[c]] += (sign * (uint64_t)weights[c]) * sums[c * XBAR_PANEL + w];
  }
}

// MARK: Byte panels

// Copies `count` bytes, and up to 15 more.
static inline void copy_loosely(uint8_t *target, const uint8_t *source, size_t count) {
  for (size_t k = 0; k < count; k += XBAR_BYTE_SLACK) {
    uint8_t bytes[XBAR_BYTE_SLACK];
    __builtin_memcpy(bytes, source + k, sizeof bytes);
    __builtin_memcpy(target + k, bytes, sizeof bytes);
  }
}

static inline void fill(uint8_t *target, uint8_t value, int64_t count) {
  for (int64_t k = 0; k < count; k++) target[k] = value;
}

// The values of a tap in `count` neighboring windows of an image row, `x` being its place in the first one.
static inline void gather_run(const xbar_byte_window *window, const uint8_t *row, int64_t x, int64_t count,
                              uint8_t *target) {
  const int64_t step = window->stride_width, width = window->width;
  if (step != 1) {
    for (int64_t k = 0; k < count; k++, x += step) target[k] = x >= 0 && x < width ? row[x] : window->padding;
    return;
  }
  const int64_t before = x >= 0 ? 0 : -x < count ? -x : count;
  fill(target, window->padding, before);
  const int64_t end = width - x < count ? width - x : count;  // of the windows whose tap lies inside
  if (end > before) copy_loosely(target + before, row + x + before, (size_t)(end - before));
  const int64_t after = end > before ? end : before;
  fill(target + after, window->padding, count - after);
}

// The first and the last place of a tap along an axis lie inside.
static inline int is_inside(int64_t first, int64_t last, int64_t length) { return first >= 0 && last < length; }

// The values of a tap in windows first ... first + count - 1, `y` and `x` being its place in window 0.
static inline void gather_tap(const xbar_byte_window *window, const uint8_t *source, int64_t y, int64_t x, size_t first,
                              size_t count, uint8_t *target) {
  const int64_t out = window->out_width, width = window->width;
  int64_t row = (int64_t)first / out, column = (int64_t)first % out, rest = (int64_t)count;
  if (column == 0 && rest % out == 0 && window->stride_width == 1 && is_inside(x, x + out - 1, width) &&
      is_inside(y + row * window->stride_height, y + (row + rest / out - 1) * window->stride_height, window->height)) {
    const uint8_t *from = source + (y + row * window->stride_height) * width + x;
    for (; rest > 0; rest -= out, target += out, from += window->stride_height * width)
      copy_loosely(target, from, (size_t)out);
    return;
  }
  for (; rest > 0; row++, column = 0) {
    const int64_t run = out - column < rest ? out - column : rest;
    const int64_t line = y + row * window->stride_height;
    if (line < 0 || line >= window->height)
      fill(target, window->padding, run);
    else
      gather_run(window, source + line * width, x + column * window->stride_width, run, target);
    target += run;
    rest -= run;
  }
}

void xbar_gather_rows(const xbar_byte_window *window, const uint8_t *source, size_t first, size_t count, uint8_t *rows,
                      size_t pitch) {
  const int64_t plane = (int64_t)window->height * window->width;
  for (size_t c = 0; c < window->channels; c++, source += plane) {
    for (int64_t ky = 0; ky < window->kernel_height; ky++) {
      const int64_t y = ky * window->dilation_height - window->pad_top;
      for (int64_t kx = 0; kx < window->kernel_width; kx++, rows += pitch)
        gather_tap(window, source, y, kx * window->dilation_width - window->pad_left, first, count, rows);
    }
  }
}

void xbar_fill_lane(const uint8_t *values, size_t inputs, size_t lane, size_t lanes, uint8_t *panel) {
  panel += 4 * lane;
  size_t i = 0;
  for (; i + 4 <= inputs; i += 4, panel += 4 * lanes) __builtin_memcpy(panel, values + i, 4);
  if (i == inputs) return;
  uint8_t rest[4] = {0};
  for (size_t k = i; k < inputs; k++) rest[k - i] = values[k];
  __builtin_memcpy(panel, rest, sizeof rest);
}

void xbar_interleave_rows(const uint8_t *rows, size_t pitch, size_t inputs, size_t windows, size_t lanes,
                          uint8_t *panel) {
  kernels->interleave_rows(rows, pitch, inputs, windows, lanes, panel);
}

void xbar_multiply_panel(const uint8_t *panel, size_t groups, size_t lanes, const int8_t *weights, size_t outputs,
                         const int32_t *starts, int32_t flip, int32_t *sums) {
  kernels->multiply_panel(panel, groups, lanes, weights, outputs, starts, flip, sums);
}

uint32_t xbar_count_panel(const uint8_t *panel, size_t groups, size_t lanes, uint32_t digit_bits, int32_t is_signed,
                          uint32_t *counts) {
  return kernels->count_panel(panel, groups, lanes, digit_bits, is_signed, counts);
}

void xbar_scale_sums(const int32_t *sums, size_t count, const xbar_byte_scale *scale, uint8_t *bytes) {
  kernels->scale_sums(sums, count, scale, bytes);
}

void xbar_widen_panel(const uint8_t *panel, size_t groups, size_t lanes, size_t first, int32_t is_signed,
                      int32_t *values) {
  kernels->widen_panel(panel, groups, lanes, first, is_signed, values);
}
