// Inner loops for devices that are not ideal, in binary32; all variants compute the same bits. Terms as in kernels.h.
#pragma once
#include <stddef.h>
#include <stdint.h>

// A stream of random numbers; four words for each counter of four words.
typedef struct {
  uint32_t words[4];
} xbar_random_key;

// For counters (counter[0] + k, counter[1], counter[2], counter[3]) with k < count: the four random words, and two pairs
// of normal numbers made of them, at words[4 * k] and normals[4 * k].
void xbar_draw(const xbar_random_key *key, const uint32_t counter[4], size_t count, uint32_t *words, float *normals);

// How cells are programmed; conductances in steps of a level.
typedef struct {
  xbar_random_key key;
  float nominal[256];   // conductance of each level
  float sigma[256];
  float exponent[256];  // of drift
  float spread;         // of these exponents
  float time;           // ln(t / t0), 0 for no drift
  float highest;        // conductance of the highest level
  uint32_t stuck_on;    // of 2^32 cells
  uint32_t stuck_off;
  int32_t lognormal;    // else normal
} xbar_cell_table;

// Conductances of cells with `levels`, numbered from 0, of a crossbar.
void xbar_program_cells(const xbar_cell_table *table, const uint8_t *levels, size_t count, uint32_t crossbar,
                        float *conductances);

// Properties of bitlines that sensing takes.
enum {
  XBAR_FIRST = 0, XBAR_LEAK, XBAR_SECOND, XBAR_GAIN, XBAR_OFFSET, XBAR_BOW, XBAR_CELL_VARIANCE,
  XBAR_VALID,  // not 0 for bitlines in use
  XBAR_PROPERTIES
};

// A code with the random words that lead to it: those below `bound` that lead to none before.
typedef struct {
  uint32_t bound;
  int32_t code;
} xbar_table_entry;

// How the currents of a strip of at most 64 bitlines, filled up to a multiple of 16, become codes. With I for the current,
// n for the sum of digits, and properties in lower case: y = min(I * first - n * leak, I * second), the latter where
// `nonlinear`; y = y * gain + offset; where `bowed`, y += bow * y * (1 - y * inverse_range); where `noisy`,
// y += N * sqrt(added_variance + Q * cell_variance) with Q for the sum of squares; the code is floor(y * scale + bias),
// bounded by minimum and maximum. Where there is a table, I and n are whole numbers, and the code is drawn from the
// entries that table_starts[n * table_sums + I] and the one after it bound; the last of them has all words. Bounds are
// multiples of 1024, so that the first two entries are found as table_likely[2][...] too: bound | code - I + 512, with a
// bound of 0 for none.
typedef struct {
  const float *properties;  // [XBAR_PROPERTIES][16 * parts]
  const uint32_t *table_starts;
  const xbar_table_entry *table;  // or null
  const uint32_t *table_likely;
  uint32_t table_sums;            // sums for each n
  uint32_t table_size;            // sums for all n
  float inverse_range, added_variance, scale, bias, minimum, maximum;
  int32_t nonlinear, bowed, noisy;
  int32_t plain;     // gains and scale are 1, minimum and bow are 0, and all lanes are in use
  int32_t measures;  // whether codes are compared with those of an ideal device
  xbar_random_key key;
} xbar_sensing;

// What a run counts; added to what is there.
typedef struct {
  int64_t saturated;     // conversions whose code would be larger than the maximum
  int64_t compared;      // conversions compared with an ideal device
  int64_t wrong;         // with another code
  int64_t error;         // sum of code - ideal code
  int64_t square_error;  // sum of its squares
} xbar_analog_counts;

// The position of a window, for random numbers.
typedef struct {
  uint32_t drive;
  uint32_t sample;
} xbar_window_numbers;

// Sums of all 16 patterns of each four wordlines: tables[nibbles][16][16 * parts] from cells[rows][16 * parts]; slots as
// for xbar_fill_tables.
void xbar_fill_analog(const float *cells, uint32_t parts, const int32_t *slot_rows, uint32_t slots, float *tables);

// One strip of a block of fixed units with one-bit digits.
typedef struct {
  const xbar_sensing *sensing;
  uint32_t parts;              // of 16 bitlines, 1 ... 4
  const float *tables;         // as filled by xbar_fill_analog
  const float *square_tables;  // of squares, or null
  const float *level_tables;   // of levels, or null
  uint32_t nibbles;            // slots / 4
  uint32_t digits;
  uint32_t units;
  uint32_t unit_nibbles;
  uint32_t number;             // the strip's, shifted left by 10 bits
  int32_t converts_all;        // whether units without a digit other than 0 are converted too
} xbar_analog_fixed;

// sums[windows][64] = sum over digits t and units of 2^t * code; those of a unit stay below 2^31.
void xbar_analog_convert_fixed(const xbar_analog_fixed *strip, const uint8_t *nibbles, size_t windows,
                               const xbar_window_numbers *numbers, int64_t *sums, xbar_analog_counts *counts);

// One strip of a block for the general form; digits listed by xbar_list_digits.
typedef struct {
  const xbar_sensing *sensing;
  uint32_t parts;        // of 16 bitlines, 1 ... 4
  const float *cells;    // [rows][16 * parts]
  const float *squares;  // or null
  const float *levels;   // or null
  uint32_t digits;
  uint32_t digit_bits;
  uint32_t unit_height;
  uint32_t units;
  uint32_t number;
  int32_t dynamic;
  int32_t converts_all;  // fixed units only
} xbar_analog_listed;

void xbar_analog_convert_listed(const xbar_analog_listed *strip, const uint32_t *entries, const uint32_t *unit_starts,
                                const uint32_t *digit_starts, size_t windows, const xbar_window_numbers *numbers,
                                int64_t *sums, xbar_analog_counts *counts);
