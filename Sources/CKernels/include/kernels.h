// Inner loops of the executor. All variants compute the same integers; only their speed differs.
//
// Terms: a *window* is one input vector of a layer; a *strip* is 64 neighboring bitlines of a block, filled up with
// cells of level 0; a *nibble* is the digits of four neighboring wordlines; a *unit* is the wordlines of an
// operation unit inside a block; a *panel* is 32 windows side by side, one for each lane.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define XBAR_STRIP 64
#define XBAR_PANEL 32

// Instruction sets that the kernels are compiled for; the last one has AVX-512 with VPOPCNTDQ and VNNI.
enum { XBAR_PORTABLE = 0, XBAR_AVX2 = 1, XBAR_AVX512 = 2, XBAR_AVX512_VNNI = 3 };

// The best level that this processor has.
int32_t xbar_best_level(void);
// The level in use: the best one unless xbar_use_level was called.
int32_t xbar_level(void);
// Uses `level`, or the best one below it that this processor has; not to be called while kernels run.
void xbar_use_level(int32_t level);

// Where the wordlines of a block get their inputs from. Wordlines of a unit are padded to a multiple of four and all
// of them together to a multiple of eight *slots*.
typedef struct {
  const uint32_t *inputs;  // [slots] index of the input, 0 for padding
  const uint32_t *masks;   // [slots] all ones, or 0 for padding
  const uint8_t *shifts;   // [slots] left shift of the input
  uint32_t slots;
  uint32_t digits;         // bits of the shifted inputs, at most 32
  uint32_t units;
  uint32_t unit_nibbles;   // nibbles of a unit
  uint32_t active_words;   // 64-bit words of one bit for each unit
} xbar_nibble_map;

// Splits the inputs of `windows` windows, `stride` apart, into nibbles[windows][digits][slots / 4], and marks units with
// a digit other than 0 in active[windows][digits][active_words].
void xbar_split_nibbles(const xbar_nibble_map *map, const uint32_t *values, size_t stride, size_t windows,
                        uint8_t *nibbles, uint64_t *active);

// Partial sums of all 16 patterns of each four wordlines: tables[nibbles][16][64], u8 lanes, or u16 where `wide`.
// `cells` are `rows` rows of at most 64 bitlines, `stride` apart; `slot_rows[slots]` is the row of a slot or -1.
void xbar_fill_tables(const uint8_t *cells, size_t stride, uint32_t columns, const int32_t *slot_rows, uint32_t slots,
                      int32_t wide, void *tables);

// One strip of a block of fixed units with one-bit digits.
typedef struct {
  const void *tables;     // as filled by xbar_fill_tables
  uint32_t nibbles;       // slots / 4
  uint32_t digits;
  uint32_t unit_nibbles;
  uint32_t active_words;
  uint32_t maximum;       // the converter's largest result
  uint32_t flush;         // how many results of the converter a lane can add up
  int32_t wide;           // u16 lanes
  int32_t counting;       // whether a conversion may saturate
  uint32_t half;          // u16 lanes: a converter that rounds to steps has the code (v + half) * factor >> 16 >> shift
  uint32_t factor;        // of a partial sum v; v + half fits a lane. 0 takes v as its code
  uint32_t shift;
} xbar_fixed_strip;

// sums[windows][64] = sum over digits t and units of 2^t * min(code of the partial sum, maximum). Returns the conversions
// whose code exceeded the maximum.
int64_t xbar_convert_fixed(const xbar_fixed_strip *strip, const uint8_t *nibbles, const uint64_t *active,
                           size_t windows, uint32_t *sums);

// One strip of a block of dynamic units with one-bit digits.
typedef struct {
  const uint8_t *cells;  // [rows][columns], and 64 bytes more that may be read
  uint32_t columns;      // at most 64
  uint32_t digits;       // bits of the shifted inputs, at most 32
  uint32_t words;        // ceil(rows / 64)
  uint32_t unit_height;
  uint32_t maximum;      // the converter's largest result
  uint32_t flush;        // how many results of the converter a lane can add up
} xbar_dynamic_strip;

// Bit k of planes[t][n][w] tells whether bit t of window w's panel[inputs[r]] << shifts[r] is set, where r = 64 * n + k
// is one of `rows` rows.
void xbar_split_rows(const uint32_t *panel, const uint32_t *inputs, const uint8_t *shifts, uint32_t rows,
                     uint32_t digits, uint64_t *planes);

// As xbar_convert_fixed, u8 lanes, for units of `unit_height` rows whose bit in `planes` is set, for the first
// `windows` of a panel.
int64_t xbar_convert_dynamic(const xbar_dynamic_strip *strip, const uint64_t *planes, size_t windows,
                             uint32_t *sums);

// One strip of a block of dynamic units with one-bit digits and few cells other than 0.
typedef struct {
  const uint32_t *inputs;     // [rows]
  const uint8_t *shifts;      // [rows]
  uint32_t rows;
  uint32_t digits;            // bits of the shifted inputs, at most 32
  uint32_t unit_height;       // at most 255
  uint32_t columns;
  const uint32_t *starts;     // [columns + 1], where the cells of a bitline begin
  const uint16_t *cell_rows;  // the row of each cell, ascending in a bitline
  const uint8_t *levels;
  uint32_t maximum;           // the converter's largest result
} xbar_sparse_strip;

// sums[columns][32], for the windows of a panel as xbar_convert_dynamic; there are at most 255 units of a digit.
// `units` has room for 128 bytes for each row. Returns the conversions whose sum exceeded the maximum.
int64_t xbar_convert_sparse(const xbar_sparse_strip *strip, const uint32_t *panel, uint8_t *units, uint32_t *sums);

// How digits are gathered for the general form.
typedef struct {
  const uint32_t *inputs;  // [rows]
  const uint8_t *shifts;   // [rows]
  uint32_t rows;
  uint32_t digits;
  uint32_t digit_bits;
  uint32_t unit_height;
  int32_t dynamic;         // units of `unit_height` active wordlines, else of neighboring wordlines
} xbar_row_map;

// Lists the digits other than 0: entries[] = row | digit << 16, window by window, digit by digit, unit by unit.
// Unit u has the entries unit_starts[u] ..< unit_starts[u + 1]; digit t of window w has the units
// digit_starts[w * digits + t] ..< digit_starts[w * digits + t + 1]. Only units with an entry are listed. Room for
// windows * digits * rows entries and one more start each is needed.
void xbar_list_digits(const xbar_row_map *map, const uint32_t *values, size_t stride, size_t windows,
                      uint32_t *entries, uint32_t *unit_starts, uint32_t *digit_starts);

// One strip of a block for the general form.
typedef struct {
  const uint8_t *cells;  // [rows][columns], and 64 bytes more that may be read
  uint32_t columns;      // at most 64
  uint32_t digits;
  uint32_t digit_bits;
  uint32_t maximum;
} xbar_listed_strip;

// As xbar_convert_fixed for listed digits of any width, with u32 lanes and 64-bit sums.
int64_t xbar_convert_listed(const xbar_listed_strip *strip, const uint32_t *entries, const uint32_t *unit_starts,
                            const uint32_t *digit_starts, size_t windows, uint64_t *sums);

// One strip of groups of bitlines that are summed before one conversion.
typedef struct {
  const uint32_t *levels;  // [rows][columns], below 2^25
  uint32_t columns;        // groups, at most 64
  uint32_t digits;
  uint32_t digit_bits;
  uint64_t largest_code;
  uint64_t step;           // what a code stands for
} xbar_composed_strip;

// As xbar_convert_listed with 64-bit lanes and a converter that rounds to steps: a sum v becomes
// min((v + step / 2) / step, largest_code) * step, and saturates where the code is larger.
int64_t xbar_convert_composed(const xbar_composed_strip *strip, const uint32_t *entries, const uint32_t *unit_starts,
                              const uint32_t *digit_starts, size_t windows, uint64_t *sums);

// results[w * stride + outputs[c]] += weights[c] * sums[w][c], or -= where `subtract`, for the first `columns` bitlines
// of a strip.
void xbar_add_columns32(const uint32_t *sums, size_t windows, uint32_t columns, const uint32_t *outputs,
                        const int64_t *weights, int32_t subtract, int64_t *results, size_t stride);
void xbar_add_columns64(const uint64_t *sums, size_t windows, uint32_t columns, const uint32_t *outputs,
                        const int64_t *weights, int32_t subtract, int64_t *results, size_t stride);

// The same for sums[columns][32], the first `windows` lanes.
void xbar_add_panel(const uint32_t *sums, size_t windows, uint32_t columns, const uint32_t *outputs,
                    const int64_t *weights, int32_t subtract, int64_t *results, size_t stride);

// results[w * results_stride + o] += sum over i of values[w * inputs + i] * weights[i * padded + o], where `padded`, a
// multiple of 16, is at least `outputs`; with 32-bit sums where `narrow`.
void xbar_multiply(const int32_t *values, size_t inputs, size_t windows, const int32_t *weights, size_t outputs,
                   size_t padded, int32_t narrow, int64_t *results, size_t results_stride);

// positive[k] = max(values[k], 0) and negative[k] = max(-values[k], 0); returns the largest of all.
uint32_t xbar_split_signs(const int32_t *values, size_t count, uint32_t *positive, uint32_t *negative);

// counts[i] += how many digits of `digit_bits` bits of values[w * inputs + i] << shift are not 0, over all windows w;
// `shift` is below `digit_bits`.
void xbar_count_digits(const uint32_t *values, size_t inputs, size_t windows, uint32_t digit_bits, uint32_t shift,
                       uint32_t *counts);

// panel[i][w] = values[w * inputs + i], and 0 for w from `windows`, at most 32, on.
void xbar_transpose(const int32_t *values, size_t inputs, size_t windows, int32_t *panel);

// results[w * stride + o] += sum over k in starts[o] ..< starts[o + 1] of panel[inputs[k]][w] * weights[k], for the
// first `windows` lanes; with 32-bit sums where `narrow`.
void xbar_multiply_gathered(const int32_t *panel, size_t windows, const uint32_t *starts, const uint32_t *inputs,
                            const int32_t *weights, size_t outputs, int32_t narrow, int64_t *results, size_t stride);

// Up to 64 neighboring inputs, each shifted left by `shift`.
typedef struct {
  uint32_t input;
  uint32_t count;
  uint32_t shift;
} xbar_plane_word;

// Bit planes of a panel: bit k of planes[t][n][w] tells whether digit first + t of window w's input number
// words[n].input + k, shifted, is not 0.
void xbar_build_planes(const uint32_t *panel, const xbar_plane_word *words, size_t count, uint32_t first,
                       uint32_t digits, uint32_t digit_bits, uint64_t *planes);

// Wordlines as bits of plane words.
typedef struct {
  const uint32_t *words;  // [count]
  const uint64_t *masks;  // [count]
  uint32_t count;
  uint32_t height;        // of a unit, 1 ... 4096
} xbar_wordline_masks;

// units[w] += sum over digits of ceil(n / height), where n, at most 4096, is how many bits of `masks` are set in
// planes[digits][words][32].
void xbar_count_units(const xbar_wordline_masks *masks, const uint64_t *planes, size_t words, uint32_t digits,
                      uint32_t *units);
