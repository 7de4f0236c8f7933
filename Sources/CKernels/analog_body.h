// Kernels in binary32 for devices that are not ideal, compiled once for each instruction set like kernels_body.h. Every
// lane does the same operations in the same order whatever the instruction set, without contraction, so that all
// variants give the same bits.

typedef float NAME(floats) __attribute__((vector_size(64)));

static inline TARGET __attribute__((always_inline)) NAME(lanes) NAME(rotate)(NAME(lanes) v, int bits) {
  return v << bits | v >> (32 - bits);
}

// Threefry-4x32 with 13 rounds (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11).
static inline TARGET __attribute__((always_inline)) void NAME(random)(const uint32_t key[4], NAME(lanes) x[4]) {
  const uint32_t keys[5] = {key[0], key[1], key[2], key[3], 0x1BD11BDA ^ key[0] ^ key[1] ^ key[2] ^ key[3]};
  static const int turns[8][2] = {{10, 26}, {11, 21}, {13, 27}, {23, 5}, {6, 20}, {17, 11}, {25, 10}, {18, 20}};
  for (int k = 0; k < 4; k++) x[k] += keys[k];
  for (int round = 0; round < 13; round++) {
    const int a = round % 2 == 0 ? 1 : 3, b = 4 - a;
    x[0] += x[a];
    x[a] = NAME(rotate)(x[a], turns[round % 8][0]) ^ x[0];
    x[2] += x[b];
    x[b] = NAME(rotate)(x[b], turns[round % 8][1]) ^ x[2];
    if (round % 4 == 3) {
      const uint32_t step = (uint32_t)round / 4 + 1;
      for (uint32_t k = 0; k < 4; k++) x[k] += keys[(step + k) % 5];
      x[3] += step;
    }
  }
}

static inline TARGET __attribute__((always_inline)) NAME(floats) NAME(select)(NAME(integers) mask, NAME(floats) a,
                                                                              NAME(floats) b) {
  return (NAME(floats))(((NAME(integers))a & mask) | ((NAME(integers))b & ~mask));
}

// The smaller and the larger one of each lane, for numbers: a compare and a choice, which is one instruction.
static inline TARGET __attribute__((always_inline)) NAME(floats) NAME(lesser)(NAME(floats) a, NAME(floats) b) {
  return NAME(select)((NAME(integers))(a < b), a, b);
}

static inline TARGET __attribute__((always_inline)) NAME(floats) NAME(greater)(NAME(floats) a, NAME(floats) b) {
  return NAME(select)((NAME(integers))(a > b), a, b);
}

// ln(x) for positive normal x: x = 2^e * m with m in [sqrt(1/2), sqrt(2)), ln(m) = 2 artanh((m - 1) / (m + 1)).
static inline TARGET __attribute__((always_inline)) NAME(floats) NAME(logarithm)(NAME(floats) x) {
  NAME(integers) bits = (NAME(integers))x;
  const NAME(integers) exponent = ((bits - 0x3F3504F3) >> 23);
  const NAME(floats) m = (NAME(floats))(bits - (exponent << 23));
  const NAME(floats) s = (m - 1.0f) / (m + 1.0f);
  const NAME(floats) q = s * s;
  const NAME(floats) p = q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9))));
  return __builtin_convertvector(exponent, NAME(floats)) * 0.693147181f + 2.0f * (s + s * p);
}

// e^x for |x| up to 80: 2^n times a Taylor polynomial of the rest, at most ln(2) / 2 in size.
static inline TARGET __attribute__((always_inline)) NAME(floats) NAME(exponential)(NAME(floats) x) {
  const NAME(floats) bounded =
      NAME(lesser)(NAME(greater)(x, (NAME(floats)){0} - 80.0f), (NAME(floats)){0} + 80.0f);
  const NAME(integers) n =
      __builtin_convertvector(bounded * 1.44269504f + 512.5f, NAME(integers)) - 512;
  const NAME(floats) whole = __builtin_convertvector(n, NAME(floats));
  const NAME(floats) r = bounded - whole * 0.693359375f + whole * 2.12194440e-4f;
  const NAME(floats) tail = 1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r * (1.0f / 5040))));
  const NAME(floats) p = 1.0f + (r + r * r * (0.5f + r * tail));
  return (NAME(floats))((NAME(integers))p + (n << 23));
}

// Two independent normal numbers from two random words (G. Box, M. Muller, 1958); up to 6.66 in size.
static inline TARGET __attribute__((always_inline)) void NAME(normals)(NAME(lanes) a, NAME(lanes) b,
                                                                       NAME(floats) *first, NAME(floats) *second) {
  const NAME(floats) u =
      (__builtin_convertvector((NAME(integers))(a >> 1), NAME(floats)) + 0.5f) * 0x1p-31f;
  const NAME(floats) radius = __builtin_elementwise_sqrt(
      NAME(greater)(NAME(logarithm)(u) * -2.0f, (NAME(floats)){0}));
  // An angle in [-pi/4, pi/4) and a quarter turn.
  const NAME(integers) part = (NAME(integers))(b & 0x3FFFFFFF) - (1 << 29);
  const NAME(floats) angle = __builtin_convertvector(part, NAME(floats)) * (0.785398163f * 0x1p-29f);
  const NAME(floats) q = angle * angle;
  const NAME(floats) sine =
      angle + angle * q * (-1.0f / 6 + q * (1.0f / 120 + q * (-1.0f / 5040 + q * (1.0f / 362880))));
  const NAME(floats) cosine =
      1.0f + q * (-0.5f + q * (1.0f / 24 + q * (-1.0f / 720 + q * (1.0f / 40320 + q * (-1.0f / 3628800)))));
  const NAME(integers) odd = -(NAME(integers))(b >> 30 & 1);
  const NAME(integers) minus_x = (NAME(integers))(((b >> 30) + 1) << 30 & 0x80000000u);
  const NAME(integers) minus_y = (NAME(integers))(b & 0x80000000u);
  const NAME(floats) x = NAME(select)(odd, sine, cosine), y = NAME(select)(odd, cosine, sine);
  *first = (NAME(floats))((NAME(integers))(radius * x) ^ minus_x);
  *second = (NAME(floats))((NAME(integers))(radius * y) ^ minus_y);
}

static TARGET void NAME(draw)(const xbar_random_key *key, const uint32_t counter[4], size_t count, uint32_t *words,
                              float *normals) {
  NAME(lanes) lane;
  for (uint32_t k = 0; k < 16; k++) lane[k] = k;
  for (size_t base = 0; base < count; base += 16) {
    NAME(lanes) x[4] = {lane + (counter[0] + (uint32_t)base)};
    for (int j = 1; j < 4; j++) x[j] = (NAME(lanes)){0} + counter[j];
    NAME(random)(key->words, x);
    NAME(floats) z[4];
    NAME(normals)(x[0], x[1], &z[0], &z[1]);
    NAME(normals)(x[2], x[3], &z[2], &z[3]);
    const size_t filled = count - base < 16 ? count - base : 16;
    for (size_t k = 0; k < filled; k++)
      for (size_t j = 0; j < 4; j++) {
        words[4 * (base + k) + j] = x[j][k];
        normals[4 * (base + k) + j] = z[j][k];
      }
  }
}

static TARGET void NAME(program_cells)(const xbar_cell_table *table, const uint8_t *levels, size_t count,
                                       uint32_t crossbar, float *conductances) {
  NAME(lanes) lane;
  for (uint32_t k = 0; k < 16; k++) lane[k] = k;
  for (size_t base = 0; base < count; base += 16) {
    const size_t filled = count - base < 16 ? count - base : 16;
    NAME(floats) nominal = {0}, sigma = {0}, exponent = {0};
    for (size_t k = 0; k < filled; k++) {
      const uint8_t level = levels[base + k];
      nominal[k] = table->nominal[level];
      sigma[k] = table->sigma[level];
      exponent[k] = table->exponent[level];
    }
    NAME(lanes) x[4] = {lane + (uint32_t)base, (NAME(lanes)){0} + crossbar, {0}, {0}};
    NAME(random)(table->key.words, x);
    NAME(floats) z, v;
    NAME(normals)(x[0], x[1], &z, &v);
    NAME(floats) g = table->lognormal
                         ? nominal * NAME(exponential)(-sigma * z)
                         : nominal * NAME(greater)(1.0f + sigma * z, (NAME(floats)){0});
    // A conductance never rises: exponents below 0 count as 0.
    if (table->time != 0)
      g *= NAME(exponential)(-NAME(greater)(exponent + table->spread * v, (NAME(floats)){0}) * table->time);
    // Wide distributions can pass the range of binary32; sums and their squares must stay finite.
    g = __builtin_elementwise_min(g, (NAME(floats)){0} + 1e12f);
    const NAME(integers) on = x[2] < table->stuck_on, off = x[2] - table->stuck_on < table->stuck_off;
    g = NAME(select)(on, (NAME(floats)){0} + table->highest,
                     NAME(select)(off & ~on, (NAME(floats)){0} + table->nominal[0], g));
    float lanes[16];
    __builtin_memcpy(lanes, &g, sizeof g);
    __builtin_memcpy(conductances + base, lanes, filled * sizeof(float));
  }
}

static TARGET void NAME(fill_analog)(const float *cells, uint32_t parts, const int32_t *slot_rows, uint32_t slots,
                                     float *tables) {
  const size_t width = 16 * parts;
  for (uint32_t nibble = 0; nibble < slots / 4; nibble++)
    for (size_t k = 0; k < parts; k++) {
      NAME(floats) rows[4] = {{0}, {0}, {0}, {0}}, sums[16];
      for (int j = 0; j < 4; j++) {
        const int32_t row = slot_rows[4 * nibble + j];
        if (row >= 0) __builtin_memcpy(&rows[j], cells + (size_t)row * width + 16 * k, sizeof rows[j]);
      }
      sums[0] = (NAME(floats)){0};
      for (int p = 1; p < 16; p++) sums[p] = sums[p & (p - 1)] + rows[__builtin_ctz(p)];
      for (size_t p = 0; p < 16; p++)
        __builtin_memcpy(tables + (16 * (size_t)nibble + p) * width + 16 * k, &sums[p], sizeof sums[p]);
    }
}

// What one unit's conversions are computed from.
typedef struct {
  NAME(floats) current[4];
  NAME(floats) squares[4];  // sum of digit^2 * conductance^2 of the cells
  NAME(floats) levels[4];   // what an ideal device sums up
  float active;             // sum of the digits
} NAME(reading);

static inline TARGET __attribute__((always_inline)) NAME(floats) NAME(four)(const float *values, int part) {
  NAME(floats) v;
  __builtin_memcpy(&v, values + 16 * part, sizeof v);
  return v;
}

// Codes, one more than the largest one where they would be larger; `plain` ones have the scale 1 and begin with 0.
static inline TARGET __attribute__((always_inline)) NAME(integers) NAME(code)(const xbar_sensing *s, NAME(floats) y,
                                                                             const int plain) {
  const NAME(floats) lowest = (NAME(floats)){0} + (plain ? 0.0f : s->minimum);
  const NAME(floats) place = (plain ? y : y * s->scale) + s->bias;
  const NAME(floats) bounded = NAME(lesser)(NAME(greater)(place, lowest), (NAME(floats)){0} + (s->maximum + 1.0f));
  if (plain) return __builtin_convertvector(bounded, NAME(integers));
  return __builtin_convertvector(bounded - lowest, NAME(integers)) + (int32_t)s->minimum;
}

static inline TARGET __attribute__((always_inline)) void NAME(compare)(NAME(integers) code, NAME(integers) ideal,
                                                                       NAME(integers) valid,
                                                                       xbar_analog_counts *counts) {
  for (int lane = 0; lane < 16; lane++) {
    if (!valid[lane]) continue;
    const int64_t error = (int64_t)code[lane] - ideal[lane];
    counts->compared++;
    counts->wrong += error != 0;
    counts->error += error;
    counts->square_error += error * error;
  }
}

// values[places[lane]] for each lane.
static inline TARGET __attribute__((always_inline)) NAME(lanes) NAME(gather)(const uint32_t *values,
                                                                             NAME(integers) places) {
#if GATHER_BITS == 512
  return (NAME(lanes))_mm512_i32gather_epi32((__m512i)places, values, 4);
#elif GATHER_BITS == 256
  __m256i halves[2];
  __builtin_memcpy(halves, &places, sizeof halves);
  for (int k = 0; k < 2; k++) halves[k] = _mm256_i32gather_epi32((const int *)values, halves[k], 4);
  NAME(lanes) found;
  __builtin_memcpy(&found, halves, sizeof found);
  return found;
#else
  NAME(lanes) found;
  for (int lane = 0; lane < 16; lane++) found[lane] = values[places[lane]];
  return found;
#endif
}

// Codes drawn from a table for whole currents: the two likeliest ones at once, the others lane by lane.
static inline TARGET __attribute__((always_inline)) NAME(integers) NAME(tabled)(const xbar_sensing *s,
                                                                                NAME(floats) current, float active,
                                                                                NAME(lanes) words) {
  const NAME(integers) sums = __builtin_convertvector(current, NAME(integers));
  const NAME(integers) places = sums + (int32_t)active * (int32_t)s->table_sums;
  const NAME(lanes) first = NAME(gather)(s->table_likely, places);
  const NAME(lanes) second = NAME(gather)(s->table_likely + s->table_size, places);
  const NAME(integers) is_first = (NAME(integers))(words >> 10 < first >> 10);
  const NAME(integers) is_second = (NAME(integers))(words >> 10 < second >> 10);
  const NAME(integers) packed = ((NAME(integers))first & is_first) | ((NAME(integers))second & ~is_first);
  NAME(integers) codes = (packed & 1023) - 512 + sums;
  const NAME(integers) rest = ~(is_first | is_second);
  if (__builtin_reduce_or(rest) == 0) return codes;
  for (int lane = 0; lane < 16; lane++) {
    if (!rest[lane]) continue;
    const xbar_table_entry *entry = s->table + s->table_starts[places[lane]];
    while (entry->bound != UINT32_MAX && words[lane] >= entry->bound) entry++;
    codes[lane] = entry->code;
  }
  return codes;
}

// The codes of a unit's conversions; `saturated` counts down those beyond the maximum. `parts`, `full` and `plain` are
// constants; what `plain` leaves out would change nothing.
static inline TARGET __attribute__((always_inline)) void NAME(sense)(const xbar_sensing *s, const NAME(reading) *r,
                                                                     const uint32_t counter[4], const int parts,
                                                                     const int full, const int plain,
                                                                     NAME(integers) *saturated,
                                                                     xbar_analog_counts *counts,
                                                                     NAME(integers) codes[4]) {
  NAME(floats) noise[4];
  NAME(lanes) x[4];
  if (full && (s->noisy || s->table)) {
    for (uint32_t k = 0; k < 16; k++) x[0][k] = counter[0] + k;
    for (int k = 1; k < 4; k++) x[k] = (NAME(lanes)){0} + counter[k];
    NAME(random)(s->key.words, x);
  }
  if (full && s->noisy) {
    NAME(normals)(x[0], x[1], &noise[0], &noise[1]);
    if (parts > 2) NAME(normals)(x[2], x[3], &noise[2], &noise[3]);
  }
#define PROPERTY(name) NAME(four)(s->properties + name * 16 * parts, k)
  const NAME(integers) maximum = (NAME(integers)){0} + (int32_t)s->maximum;
  for (int k = 0; k < parts; k++) {
    NAME(floats) y = r->current[k] * PROPERTY(XBAR_FIRST) - r->active * PROPERTY(XBAR_LEAK);
    if (s->nonlinear) y = NAME(lesser)(y, r->current[k] * PROPERTY(XBAR_SECOND));
    y = (plain ? y : y * PROPERTY(XBAR_GAIN)) + PROPERTY(XBAR_OFFSET);
    if (full && s->bowed) y += PROPERTY(XBAR_BOW) * y * (1.0f - y * s->inverse_range);
    if (full && s->noisy)
      y += noise[k] *
           __builtin_elementwise_sqrt(s->added_variance + r->squares[k] * PROPERTY(XBAR_CELL_VARIANCE));
    const NAME(integers) valid =
        plain ? (NAME(integers)){0} - 1 : (NAME(integers))(PROPERTY(XBAR_VALID) != 0.0f);
    const NAME(integers) code =
        (full && s->table ? NAME(tabled)(s, r->current[k], r->active, x[k]) : NAME(code)(s, y, plain)) & valid;
    *saturated += (NAME(integers))(code > maximum);
    codes[k] = __builtin_elementwise_min(code, maximum);
    if (full && s->measures)
      NAME(compare)(codes[k], __builtin_elementwise_min(NAME(code)(s, r->levels[k], 0), maximum), valid, counts);
  }
#undef PROPERTY
}

// `unit_nibbles`, `parts`, `full` and `plain` are constants where that matters.
static inline TARGET __attribute__((always_inline)) void NAME(analog_units)(
    const xbar_analog_fixed *strip, const uint8_t *nibbles, size_t windows, const xbar_window_numbers *numbers,
    int64_t *sums, xbar_analog_counts *counts, const uint32_t unit_nibbles, const int parts, const int full,
    const int plain) {
  const size_t width = 16 * (size_t)parts;
  NAME(integers) saturated = {0};
  for (size_t k = 0; k < windows * XBAR_STRIP; k++) sums[k] = 0;
  for (uint32_t unit = 0; unit < strip->units; unit++) {
    const size_t first = (size_t)unit * unit_nibbles;
    for (size_t w = 0; w < windows; w++) {
      NAME(integers) part[4] = {{0}, {0}, {0}, {0}};
      int any = 0;
      for (uint32_t t = strip->digits; t-- > 0;) {
        for (int k = 0; k < parts; k++) part[k] <<= 1;
        const uint8_t *n = nibbles + (w * strip->digits + t) * strip->nibbles + first;
        uint32_t active = 0;
        if (unit_nibbles == 4) {
          uint32_t four;
          __builtin_memcpy(&four, n, sizeof four);
          active = (uint32_t)__builtin_popcount(four);
        } else {
          for (uint32_t j = 0; j < unit_nibbles; j++) active += (uint32_t)__builtin_popcount(n[j]);
        }
        if (active == 0 && !strip->converts_all) continue;
        any = 1;
        NAME(reading) r = {0};
        r.active = (float)active;
        for (uint32_t j = 0; j < unit_nibbles; j++) {
          const size_t entry = (16 * (first + j) + n[j]) * width;
          for (int k = 0; k < parts; k++) {
            const NAME(floats) current = NAME(four)(strip->tables + entry, k);
            r.current[k] = j == 0 ? current : r.current[k] + current;
            if (full && strip->square_tables) r.squares[k] += NAME(four)(strip->square_tables + entry, k);
            if (full && strip->level_tables) r.levels[k] += NAME(four)(strip->level_tables + entry, k);
          }
        }
        const uint32_t counter[4] = {strip->number | t << 4, unit, numbers[w].drive, numbers[w].sample};
        NAME(integers) codes[4];
        NAME(sense)(strip->sensing, &r, counter, parts, full, plain, &saturated, counts, codes);
        for (int k = 0; k < parts; k++) part[k] += codes[k];
      }
      if (!any) continue;
      for (int k = 0; k < parts; k++) {
        NAME(wide) sum;
        __builtin_memcpy(&sum, sums + w * XBAR_STRIP + 16 * k, sizeof sum);
        sum += __builtin_convertvector(part[k], NAME(wide));
        __builtin_memcpy(sums + w * XBAR_STRIP + 16 * k, &sum, sizeof sum);
      }
    }
    counts->saturated -= __builtin_reduce_add(saturated);
    saturated = (NAME(integers)){0};
  }
}

static TARGET void NAME(analog_fixed)(const xbar_analog_fixed *strip, const uint8_t *nibbles, size_t windows,
                                      const xbar_window_numbers *numbers, int64_t *sums, xbar_analog_counts *counts) {
  const xbar_sensing *s = strip->sensing;
  const int full = s->noisy || s->bowed || s->measures || s->table;
  const uint32_t n = strip->unit_nibbles;
#define UNITS(nibbles_, parts_, full_) \
  NAME(analog_units)(strip, nibbles, windows, numbers, sums, counts, nibbles_, parts_, full_, 0)
  switch (strip->parts * 2 + (full ? 1u : 0u)) {
    case 2: UNITS(n, 1, 0); break;
    case 3: UNITS(n, 1, 1); break;
    case 4: UNITS(n, 2, 0); break;
    case 5: UNITS(n, 2, 1); break;
    case 6: UNITS(n, 3, 0); break;
    case 7: UNITS(n, 3, 1); break;
    case 8:
      if (n == 4 && s->plain) NAME(analog_units)(strip, nibbles, windows, numbers, sums, counts, 4, 4, 0, 1);
      else if (n == 4) UNITS(4, 4, 0);
      else UNITS(n, 4, 0);
      break;
    default: UNITS(n, 4, 1);
  }
#undef UNITS
}

static inline TARGET __attribute__((always_inline)) void NAME(analog_lists)(
    const xbar_analog_listed *strip, const uint32_t *entries, const uint32_t *unit_starts,
    const uint32_t *digit_starts, size_t windows, const xbar_window_numbers *numbers, int64_t *sums,
    xbar_analog_counts *counts, const int parts) {
  const size_t width = 16 * (size_t)parts;
  for (size_t w = 0; w < windows; w++) {
    NAME(integers) saturated = {0};
    int64_t sum[XBAR_STRIP] = {0};
    for (uint32_t t = 0; t < strip->digits; t++) {
      uint32_t listed = digit_starts[w * strip->digits + t];
      const uint32_t end = digit_starts[w * strip->digits + t + 1];
      const uint32_t units = strip->converts_all ? strip->units : end - listed;
      for (uint32_t unit = 0; unit < units; unit++) {
        NAME(reading) r = {0};
        // The number of the next listed unit: its place for dynamic units, else that of its wordlines.
        const uint32_t next = listed == end   ? strip->units
                              : strip->dynamic ? unit
                                               : (entries[unit_starts[listed]] & 0xFFFF) / strip->unit_height;
        const uint32_t number = strip->converts_all ? unit : next;
        if (number == next) {
          for (uint32_t e = unit_starts[listed]; e < unit_starts[listed + 1]; e++) {
            const size_t row = (size_t)(entries[e] & 0xFFFF) * width;
            const float digit = (float)(entries[e] >> 16);
            r.active += digit;
            for (int k = 0; k < parts; k++) {
              r.current[k] += digit * NAME(four)(strip->cells + row, k);
              if (strip->squares) r.squares[k] += digit * digit * NAME(four)(strip->squares + row, k);
              if (strip->levels) r.levels[k] += digit * NAME(four)(strip->levels + row, k);
            }
          }
          listed++;
        }
        const uint32_t counter[4] = {strip->number | t << 4, number, numbers[w].drive, numbers[w].sample};
        NAME(integers) codes[4];
        NAME(sense)(strip->sensing, &r, counter, parts, 1, 0, &saturated, counts, codes);
        int32_t lanes[XBAR_STRIP];
        __builtin_memcpy(lanes, codes, sizeof codes[0] * (size_t)parts);
        for (size_t c = 0; c < width; c++) sum[c] += (int64_t)lanes[c] * (1ll << (t * strip->digit_bits));
      }
    }
    counts->saturated -= __builtin_reduce_add(saturated);
    __builtin_memcpy(sums + w * XBAR_STRIP, sum, sizeof sum);
  }
}

static TARGET void NAME(analog_listed)(const xbar_analog_listed *strip, const uint32_t *entries,
                                       const uint32_t *unit_starts, const uint32_t *digit_starts, size_t windows,
                                       const xbar_window_numbers *numbers, int64_t *sums, xbar_analog_counts *counts) {
#define LISTS(parts_) \
  NAME(analog_lists)(strip, entries, unit_starts, digit_starts, windows, numbers, sums, counts, parts_)
  switch (strip->parts) {
    case 1: LISTS(1); break;
    case 2: LISTS(2); break;
    case 3: LISTS(3); break;
    default: LISTS(4);
  }
#undef LISTS
}
