// The kernels, compiled once for each instruction set: NAME(x) gives the variant's name, TARGET its attribute.
// Vectors are 64 lanes wide whatever the processor has; the compiler splits them.

typedef uint8_t NAME(bytes) __attribute__((vector_size(64)));
typedef uint16_t NAME(halves) __attribute__((vector_size(128)));
typedef uint32_t NAME(words) __attribute__((vector_size(256)));
typedef int32_t NAME(integers) __attribute__((vector_size(64)));
typedef uint32_t NAME(lanes) __attribute__((vector_size(64)));
typedef uint64_t NAME(longs) __attribute__((vector_size(64)));
typedef int64_t NAME(wide) __attribute__((vector_size(128)));
typedef uint8_t NAME(panel_bytes) __attribute__((vector_size(XBAR_PANEL)));
typedef uint16_t NAME(panel_halves) __attribute__((vector_size(2 * XBAR_PANEL)));
typedef uint32_t NAME(panel_words) __attribute__((vector_size(4 * XBAR_PANEL)));

static TARGET void NAME(split_nibbles)(const xbar_nibble_map *map, const uint32_t *values, size_t stride,
                                       size_t windows, uint8_t *nibbles, uint64_t *active) {
  const size_t row = map->slots / 4;
  const uint32_t digits = map->digits;
  for (size_t w = 0; w < windows; w++) {
    const uint32_t *x = values + w * stride;
    uint8_t *out = nibbles + w * digits * row;
    for (uint32_t s = 0; s < map->slots; s += 8) {
      uint32_t v[8];
      for (int k = 0; k < 8; k++) v[k] = (x[map->inputs[s + k]] & map->masks[s + k]) << map->shifts[s + k];
      for (uint32_t base = 0; base < digits; base += 8) {
        uint64_t b = 0;
        for (int k = 0; k < 8; k++) b |= (uint64_t)((v[k] >> base) & 0xFF) << (8 * k);
        // Transposes 8 x 8 bits (H. S. Warren, Hacker's Delight, 7-3).
        uint64_t t = (b ^ (b >> 7)) & 0x00AA00AA00AA00AAull;
        b ^= t ^ (t << 7);
        t = (b ^ (b >> 14)) & 0x0000CCCC0000CCCCull;
        b ^= t ^ (t << 14);
        t = (b ^ (b >> 28)) & 0x00000000F0F0F0F0ull;
        b ^= t ^ (t << 28);
        const uint32_t count = digits - base < 8 ? digits - base : 8;
        for (uint32_t d = 0; d < count; d++) {
          const uint8_t byte = (uint8_t)(b >> (8 * d));
          uint8_t *place = out + (base + d) * row + s / 4;
          place[0] = byte & 15;
          place[1] = byte >> 4;
        }
      }
    }
    for (uint32_t d = 0; d < digits; d++) {
      const uint8_t *n = out + d * row;
      uint64_t *words = active + (w * digits + d) * map->active_words;
      for (uint32_t k = 0; k < map->active_words; k++) words[k] = 0;
      for (uint32_t u = 0; u < map->units; u++, n += map->unit_nibbles) {
        uint32_t any = 0;
        if (map->unit_nibbles == 4) {
          __builtin_memcpy(&any, n, 4);
        } else {
          for (uint32_t k = 0; k < map->unit_nibbles; k++) any |= n[k];
        }
        words[u >> 6] |= (uint64_t)(any != 0) << (u & 63);
      }
    }
  }
}

static TARGET void NAME(split_rows)(const uint32_t *panel, const uint32_t *inputs, const uint8_t *shifts,
                                    uint32_t rows, uint32_t digits, uint64_t *planes) {
  const uint32_t words = (rows + 63) / 64;
  for (uint32_t half = 0; half < 2 * words; half++) {
    const uint32_t first = 32 * half;
    const uint32_t count = first >= rows ? 0 : rows - first < 32 ? rows - first : 32;
    for (uint32_t base = 0; base < digits; base += 4) {
      NAME(lanes) low[4] = {{0}, {0}, {0}, {0}}, high[4] = {{0}, {0}, {0}, {0}};
      for (uint32_t k = 0; k < count; k++) {
        NAME(lanes) v[2];
        __builtin_memcpy(v, panel + (size_t)inputs[first + k] * XBAR_PANEL, sizeof v);
        v[0] <<= shifts[first + k];
        v[1] <<= shifts[first + k];
        for (int d = 0; d < 4; d++) {
          low[d] |= (NAME(lanes))((v[0] & 1u << (base + d) % 32) != 0) & 1u << k;
          high[d] |= (NAME(lanes))((v[1] & 1u << (base + d) % 32) != 0) & 1u << k;
        }
      }
      for (uint32_t d = 0; d < 4 && base + d < digits; d++) {
        uint64_t *out = planes + ((base + d) * words + half / 2) * XBAR_PANEL;
        for (int w = 0; w < XBAR_PANEL; w++) {
          const uint64_t bits = w < 16 ? low[d][w] : high[d][w - 16];
          out[w] = half % 2 == 0 ? bits : out[w] | bits << 32;
        }
      }
    }
  }
}

static TARGET void NAME(fill_tables)(const uint8_t *cells, size_t stride, uint32_t columns, const int32_t *slot_rows,
                                     uint32_t slots, int32_t wide, void *tables) {
  for (uint32_t nibble = 0; nibble < slots / 4; nibble++) {
    NAME(bytes) rows[4];
    for (int k = 0; k < 4; k++) {
      uint8_t lanes[XBAR_STRIP] = {0};
      const int32_t row = slot_rows[4 * nibble + k];
      if (row >= 0) __builtin_memcpy(lanes, cells + row * stride, columns);
      __builtin_memcpy(&rows[k], lanes, XBAR_STRIP);
    }
    if (wide) {
      NAME(halves) *out = (NAME(halves) *)tables + nibble * 16;
      out[0] = (NAME(halves)){0};
      for (int p = 1; p < 16; p++)
        out[p] = out[p & (p - 1)] + __builtin_convertvector(rows[__builtin_ctz(p)], NAME(halves));
    } else {
      NAME(bytes) *out = (NAME(bytes) *)tables + nibble * 16;
      out[0] = (NAME(bytes)){0};
      for (int p = 1; p < 16; p++) out[p] = out[p & (p - 1)] + rows[__builtin_ctz(p)];
    }
  }
}

static inline TARGET __attribute__((always_inline)) int64_t NAME(total)(const NAME(bytes) *lanes) {
  return __builtin_reduce_add(__builtin_convertvector(*lanes, NAME(words)));
}

static inline TARGET __attribute__((always_inline)) int64_t NAME(total_halves)(const NAME(halves) *lanes) {
  return __builtin_reduce_add(__builtin_convertvector(*lanes, NAME(words)));
}

// `unit_nibbles` and `counting` are constants where that matters.
static inline TARGET __attribute__((always_inline)) int64_t NAME(fixed_bytes)(
    const xbar_fixed_strip *strip, const uint8_t *nibbles, const uint64_t *active, size_t windows, uint32_t *sums,
    const uint32_t unit_nibbles, const int counting) {
  const NAME(bytes) *tables = (const NAME(bytes) *)strip->tables;
  const NAME(bytes) maximum = (NAME(bytes)){0} + (uint8_t)(strip->maximum > 255 ? 255 : strip->maximum);
  NAME(bytes) over = {0};
  int64_t saturated = 0;
  uint32_t counted = 0;
  for (size_t w = 0; w < windows; w++) {
    NAME(words) sum = {0};
    for (uint32_t t = 0; t < strip->digits; t++, nibbles += strip->nibbles) {
      NAME(bytes) part = {0};
      uint32_t pending = 0;
      for (uint32_t k = 0; k < strip->active_words; k++) {
        uint64_t units = *active++;
        if (counting) {
          const uint32_t more = (uint32_t)__builtin_popcountll(units);
          if (counted + more > 255) {
            saturated += NAME(total)(&over);
            over = (NAME(bytes)){0};
            counted = 0;
          }
          counted += more;
        }
        for (; units; units &= units - 1) {
          const size_t first = (64 * k + (uint32_t)__builtin_ctzll(units)) * unit_nibbles;
          const uint8_t *n = nibbles + first;
          const NAME(bytes) *table = tables + 16 * first;
          NAME(bytes) v = table[n[0]];
          for (uint32_t j = 1; j < unit_nibbles; j++) v = __builtin_elementwise_add_sat(v, table[16 * j + n[j]]);
          if (counting) over -= (NAME(bytes))(v > maximum);
          part += __builtin_elementwise_min(v, maximum);
          if (++pending == strip->flush) {
            sum += __builtin_convertvector(part, NAME(words)) << t;
            part = (NAME(bytes)){0};
            pending = 0;
          }
        }
      }
      if (pending) sum += __builtin_convertvector(part, NAME(words)) << t;
    }
    __builtin_memcpy(sums + w * XBAR_STRIP, &sum, sizeof sum);
  }
  return counting ? saturated + NAME(total)(&over) : 0;
}

static inline TARGET __attribute__((always_inline)) int64_t NAME(fixed_halves)(
    const xbar_fixed_strip *strip, const uint8_t *nibbles, const uint64_t *active, size_t windows, uint32_t *sums,
    const int counting, const int rounding) {
  const NAME(halves) *tables = (const NAME(halves) *)strip->tables;
  const NAME(halves) maximum = (NAME(halves)){0} + (uint16_t)strip->maximum;
  const NAME(halves) half = (NAME(halves)){0} + (uint16_t)strip->half;
  int64_t saturated = 0;
  for (size_t w = 0; w < windows; w++) {
    NAME(words) sum = {0};
    for (uint32_t t = 0; t < strip->digits; t++, nibbles += strip->nibbles) {
      NAME(halves) part = {0};
      NAME(halves) over = {0};
      uint32_t pending = 0;
      for (uint32_t k = 0; k < strip->active_words; k++) {
        for (uint64_t units = *active++; units; units &= units - 1) {
          const size_t first = (64 * k + (uint32_t)__builtin_ctzll(units)) * strip->unit_nibbles;
          const uint8_t *n = nibbles + first;
          const NAME(halves) *table = tables + 16 * first;
          NAME(halves) v = table[n[0]];
          for (uint32_t j = 1; j < strip->unit_nibbles; j++)
            v = __builtin_elementwise_add_sat(v, table[16 * j + n[j]]);
          if (rounding)
            v = __builtin_convertvector(__builtin_convertvector(v + half, NAME(words)) * strip->factor >> 16,
                                        NAME(halves)) >> strip->shift;
          if (counting) over -= (NAME(halves))(v > maximum);
          part += __builtin_elementwise_min(v, maximum);
          if (++pending == strip->flush) {
            sum += __builtin_convertvector(part, NAME(words)) << t;
            part = (NAME(halves)){0};
            pending = 0;
          }
        }
      }
      if (pending) sum += __builtin_convertvector(part, NAME(words)) << t;
      if (counting) saturated += NAME(total_halves)(&over);
    }
    __builtin_memcpy(sums + w * XBAR_STRIP, &sum, sizeof sum);
  }
  return saturated;
}

static TARGET int64_t NAME(convert_fixed)(const xbar_fixed_strip *strip, const uint8_t *nibbles,
                                          const uint64_t *active, size_t windows, uint32_t *sums) {
  const uint32_t n = strip->unit_nibbles;
  if (strip->wide && strip->factor) return NAME(fixed_halves)(strip, nibbles, active, windows, sums, 1, 1);
  if (strip->wide)
    return strip->counting ? NAME(fixed_halves)(strip, nibbles, active, windows, sums, 1, 0)
                           : NAME(fixed_halves)(strip, nibbles, active, windows, sums, 0, 0);
  if (n == 4)
    return strip->counting ? NAME(fixed_bytes)(strip, nibbles, active, windows, sums, 4, 1)
                           : NAME(fixed_bytes)(strip, nibbles, active, windows, sums, 4, 0);
  return strip->counting ? NAME(fixed_bytes)(strip, nibbles, active, windows, sums, n, 1)
                         : NAME(fixed_bytes)(strip, nibbles, active, windows, sums, n, 0);
}

static TARGET int64_t NAME(convert_dynamic)(const xbar_dynamic_strip *strip, const uint64_t *planes, size_t windows,
                                            uint32_t *sums) {
  const NAME(bytes) maximum = (NAME(bytes)){0} + (uint8_t)(strip->maximum > 255 ? 255 : strip->maximum);
  NAME(bytes) valid = {0};
  for (uint32_t c = 0; c < strip->columns; c++) valid[c] = 1;
  NAME(bytes) over = {0};
  int64_t saturated = 0;
  uint32_t counted = 0;
  for (size_t w = 0; w < windows; w++) {
    NAME(words) sum = {0};
    for (uint32_t t = 0; t < strip->digits; t++) {
      const uint64_t *plane = planes + t * strip->words * XBAR_PANEL + w;
      NAME(bytes) part = {0};
      uint32_t pending = 0;
      uint32_t word = 0;
      uint64_t rest = plane[0];
      for (;;) {
        NAME(bytes) v = {0};
        uint32_t filled = 0;
        while (filled < strip->unit_height) {
          while (rest == 0 && word + 1 < strip->words) rest = plane[++word * XBAR_PANEL];
          if (rest == 0) break;
          NAME(bytes) row;
          const size_t r = 64 * word + (uint32_t)__builtin_ctzll(rest);
          __builtin_memcpy(&row, strip->cells + r * strip->columns, sizeof row);
          v = __builtin_elementwise_add_sat(v, row);
          rest &= rest - 1;
          filled++;
        }
        if (filled == 0) break;
        over += (NAME(bytes))(v > maximum) & valid;
        if (++counted == 255) {
          saturated += NAME(total)(&over);
          over = (NAME(bytes)){0};
          counted = 0;
        }
        part += __builtin_elementwise_min(v, maximum);
        if (++pending == strip->flush) {
          sum += __builtin_convertvector(part, NAME(words)) << t;
          part = (NAME(bytes)){0};
          pending = 0;
        }
      }
      if (pending) sum += __builtin_convertvector(part, NAME(words)) << t;
    }
    __builtin_memcpy(sums + w * XBAR_STRIP, &sum, sizeof sum);
  }
  return saturated + NAME(total)(&over);
}

// For each row, of four digits, and for each window the number, from 1 on, of the unit that the row belongs to, or 0
// where the digit is 0.
static TARGET void NAME(number_units)(const xbar_sparse_strip *strip, const uint32_t *panel, uint32_t digit,
                                      uint8_t *units) {
  const NAME(panel_bytes) height = (NAME(panel_bytes)){0} + (uint8_t)strip->unit_height;
  const NAME(panel_bytes) one = (NAME(panel_bytes)){0} + 1;
  NAME(panel_bytes) filled[4] = {{0}, {0}, {0}, {0}};
  NAME(panel_bytes) unit[4] = {one, one, one, one};
  for (uint32_t r = 0; r < strip->rows; r++) {
    NAME(panel_words) v;
    __builtin_memcpy(&v, panel + (size_t)strip->inputs[r] * XBAR_PANEL, sizeof v);
    const NAME(panel_bytes) bits = __builtin_convertvector(v << strip->shifts[r] >> digit & 15, NAME(panel_bytes));
    NAME(panel_bytes) numbers[4];
    for (int d = 0; d < 4; d++) {
      const NAME(panel_bytes) active = (NAME(panel_bytes))((bits & (uint8_t)(1 << d)) != 0);
      const NAME(panel_bytes) full = (NAME(panel_bytes))(filled[d] == height) & active;
      unit[d] -= full;
      filled[d] = (filled[d] & ~full) - active;
      numbers[d] = unit[d] & active;
    }
    __builtin_memcpy(units + (size_t)r * sizeof numbers, numbers, sizeof numbers);
  }
}

// Four digits at a time: each waits for its own sums only.
static TARGET int64_t NAME(convert_sparse)(const xbar_sparse_strip *strip, const uint32_t *panel, uint8_t *units,
                                           uint32_t *sums) {
  const NAME(panel_bytes) maximum = (NAME(panel_bytes)){0} + (uint8_t)(strip->maximum > 255 ? 255 : strip->maximum);
  NAME(panel_words) saturated = {0};
  for (uint32_t k = 0; k < strip->columns * XBAR_PANEL; k++) sums[k] = 0;
  for (uint32_t base = 0; base < strip->digits; base += 4) {
    NAME(number_units)(strip, panel, base, units);
    for (uint32_t c = 0; c < strip->columns; c++) {
      NAME(panel_bytes) v[4] = {{0}, {0}, {0}, {0}}, unit[4] = {{0}, {0}, {0}, {0}}, over[4] = {{0}, {0}, {0}, {0}};
      NAME(panel_halves) part[4] = {{0}, {0}, {0}, {0}};
      for (uint32_t k = strip->starts[c]; k < strip->starts[c + 1]; k++) {
        NAME(panel_bytes) numbers[4];
        __builtin_memcpy(numbers, units + (size_t)strip->cell_rows[k] * sizeof numbers, sizeof numbers);
        const uint8_t level = strip->levels[k];
        for (int d = 0; d < 4; d++) {
          const NAME(panel_bytes) active = (NAME(panel_bytes))(numbers[d] != 0);
          const NAME(panel_bytes) begins = (NAME(panel_bytes))(numbers[d] != unit[d]) & active;
          part[d] += __builtin_convertvector(__builtin_elementwise_min(v[d], maximum) & begins, NAME(panel_halves));
          over[d] -= (NAME(panel_bytes))(v[d] > maximum) & begins;
          unit[d] = (unit[d] & ~begins) | (numbers[d] & begins);
          v[d] = __builtin_elementwise_add_sat(v[d] & ~begins, active & level);
        }
      }
      NAME(panel_words) sum;
      __builtin_memcpy(&sum, sums + c * XBAR_PANEL, sizeof sum);
      for (int d = 0; d < 4; d++) {
        part[d] += __builtin_convertvector(__builtin_elementwise_min(v[d], maximum), NAME(panel_halves));
        over[d] -= (NAME(panel_bytes))(v[d] > maximum);
        saturated += __builtin_convertvector(over[d], NAME(panel_words));
        sum += __builtin_convertvector(part[d], NAME(panel_words)) << (base + d);
      }
      __builtin_memcpy(sums + c * XBAR_PANEL, &sum, sizeof sum);
    }
  }
  return __builtin_reduce_add(saturated);
}

static TARGET int64_t NAME(convert_listed)(const xbar_listed_strip *strip, const uint32_t *entries,
                                           const uint32_t *unit_starts, const uint32_t *digit_starts,
                                           size_t windows, uint64_t *sums) {
  int64_t saturated = 0;
  for (size_t w = 0; w < windows; w++) {
    uint64_t *sum = sums + w * XBAR_STRIP;
    for (int l = 0; l < XBAR_STRIP; l++) sum[l] = 0;
    for (uint32_t t = 0; t < strip->digits; t++) {
      const uint32_t *range = digit_starts + w * strip->digits + t;
      uint32_t part[XBAR_STRIP] = {0};
      uint32_t over[XBAR_STRIP] = {0};
      for (uint32_t u = range[0]; u < range[1]; u++) {
        uint32_t v[XBAR_STRIP] = {0};
        for (uint32_t e = unit_starts[u]; e < unit_starts[u + 1]; e++) {
          const uint8_t *row = strip->cells + (size_t)(entries[e] & 0xFFFF) * strip->columns;
          const uint32_t digit = entries[e] >> 16;
          for (int l = 0; l < XBAR_STRIP; l++) v[l] += digit * row[l];
        }
        for (int l = 0; l < XBAR_STRIP; l++) {
          over[l] += v[l] > strip->maximum;
          part[l] += v[l] < strip->maximum ? v[l] : strip->maximum;
        }
      }
      for (int l = 0; l < XBAR_STRIP; l++) {
        sum[l] += (uint64_t)part[l] << (t * strip->digit_bits);
        if (l < (int)strip->columns) saturated += over[l];
      }
    }
  }
  return saturated;
}

static TARGET int64_t NAME(convert_composed)(const xbar_composed_strip *strip, const uint32_t *entries,
                                             const uint32_t *unit_starts, const uint32_t *digit_starts,
                                             size_t windows, uint64_t *sums) {
  int64_t saturated = 0;
  const uint32_t columns = strip->columns;
  for (size_t w = 0; w < windows; w++) {
    uint64_t *sum = sums + w * XBAR_STRIP;
    for (uint32_t l = 0; l < columns; l++) sum[l] = 0;
    for (uint32_t t = 0; t < strip->digits; t++) {
      const uint32_t *range = digit_starts + w * strip->digits + t;
      for (uint32_t u = range[0]; u < range[1]; u++) {
        uint64_t v[XBAR_STRIP] = {0};
        for (uint32_t e = unit_starts[u]; e < unit_starts[u + 1]; e++) {
          const uint32_t *row = strip->levels + (size_t)(entries[e] & 0xFFFF) * columns;
          const uint64_t digit = entries[e] >> 16;
          for (uint32_t l = 0; l < columns; l++) v[l] += digit * row[l];
        }
        for (uint32_t l = 0; l < columns; l++) {
          const uint64_t code = strip->step == 1 ? v[l] : (v[l] + strip->step / 2) / strip->step;
          saturated += code > strip->largest_code;
          sum[l] += (code < strip->largest_code ? code : strip->largest_code) * strip->step << (t * strip->digit_bits);
        }
      }
    }
  }
  return saturated;
}

static TARGET void NAME(multiply)(const int32_t *values, size_t inputs, size_t windows, const int32_t *weights,
                                  size_t outputs, size_t padded, int32_t narrow, int64_t *results,
                                  size_t results_stride) {
  for (size_t w = 0; w < windows; w++) {
    const int32_t *x = values + w * inputs;
    int64_t *y = results + w * results_stride;
    if (!narrow) {
      for (size_t i = 0; i < inputs; i++) {
        const int64_t v = x[i];
        if (v == 0) continue;
        const int32_t *row = weights + i * padded;
        for (size_t o = 0; o < outputs; o++) y[o] += v * row[o];
      }
      continue;
    }
    size_t o = 0;
    for (; o < outputs; o += 64) {
      const size_t rest = padded - o;
      const int blocks = rest >= 64 ? 4 : (int)(rest / 16);
      NAME(integers) s[4] = {{0}, {0}, {0}, {0}};
      if (blocks == 4) {
        for (size_t i = 0; i < inputs; i++) {
          const int32_t v = x[i];
          if (v == 0) continue;
          const int32_t *row = weights + i * padded + o;
          NAME(integers) r[4];
          __builtin_memcpy(r, row, sizeof r);
          for (int k = 0; k < 4; k++) s[k] += v * r[k];
        }
      } else {
        for (size_t i = 0; i < inputs; i++) {
          const int32_t v = x[i];
          if (v == 0) continue;
          for (int k = 0; k < blocks; k++) {
            NAME(integers) r;
            __builtin_memcpy(&r, weights + i * padded + o + 16 * k, sizeof r);
            s[k] += v * r;
          }
        }
      }
      const size_t count = outputs - o < 64 ? outputs - o : 64;
      int32_t lanes[64];
      __builtin_memcpy(lanes, s, sizeof s);
      for (size_t k = 0; k < count; k++) y[o + k] += lanes[k];
    }
  }
}

static TARGET uint32_t NAME(split_signs)(const int32_t *values, size_t count, uint32_t *positive,
                                         uint32_t *negative) {
  uint32_t largest = 0;
  for (size_t k = 0; k < count; k++) {
    const int32_t v = values[k];
    const uint32_t p = v > 0 ? (uint32_t)v : 0;
    const uint32_t n = v < 0 ? 0u - (uint32_t)v : 0;
    positive[k] = p;
    negative[k] = n;
    largest = largest > p ? largest : p;
    largest = largest > n ? largest : n;
  }
  return largest;
}

static TARGET void NAME(count_digits)(const uint32_t *values, size_t inputs, size_t windows, uint32_t digit_bits,
                                      uint32_t shift, uint32_t *counts) {
  if (digit_bits == 1) {
    for (size_t w = 0; w < windows; w++)
      for (size_t i = 0; i < inputs; i++) counts[i] += (uint32_t)__builtin_popcount(values[w * inputs + i]);
    return;
  }
  uint64_t lowest = 0;  // the lowest bit of every digit
  for (uint32_t bit = 0; bit < 64; bit += digit_bits) lowest |= 1ull << bit;
  for (size_t w = 0; w < windows; w++) {
    for (size_t i = 0; i < inputs; i++) {
      const uint64_t v = (uint64_t)values[w * inputs + i] << shift;
      uint64_t any = v;
      for (uint32_t k = 1; k < digit_bits; k++) any |= v >> k;
      counts[i] += (uint32_t)__builtin_popcountll(any & lowest);
    }
  }
}

// Lanes k and k + 8 of both vectors in turn: a step of a perfect shuffle.
#define INTERLEAVE_LOW(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HIGH(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

static TARGET void NAME(transpose)(const int32_t *values, size_t inputs, size_t windows, int32_t *panel) {
  for (size_t first = 0; first < XBAR_PANEL; first += 16) {
    size_t i = 0;
    for (; windows >= first + 16 && i + 16 <= inputs; i += 16) {
      NAME(integers) a[16], b[16];
      for (int w = 0; w < 16; w++) __builtin_memcpy(&a[w], values + (first + w) * inputs + i, sizeof a[w]);
      for (int step = 0; step < 4; step++) {
        for (int k = 0; k < 8; k++) {
          b[2 * k] = INTERLEAVE_LOW(a[k], a[k + 8]);
          b[2 * k + 1] = INTERLEAVE_HIGH(a[k], a[k + 8]);
        }
        __builtin_memcpy(a, b, sizeof a);
      }
      for (int k = 0; k < 16; k++) __builtin_memcpy(panel + (i + k) * XBAR_PANEL + first, &a[k], sizeof a[k]);
    }
    for (; i < inputs; i++)
      for (size_t w = first; w < first + 16; w++)
        panel[i * XBAR_PANEL + w] = w < windows ? values[w * inputs + i] : 0;
  }
}
#undef INTERLEAVE_LOW
#undef INTERLEAVE_HIGH

static TARGET void NAME(multiply_gathered)(const int32_t *panel, size_t windows, const uint32_t *starts,
                                           const uint32_t *inputs, const int32_t *weights, size_t outputs,
                                           int32_t narrow, int64_t *results, size_t stride) {
  for (size_t o = 0; o < outputs; o++) {
    const uint32_t end = starts[o + 1];
    int64_t sums[XBAR_PANEL];
    if (narrow) {
      NAME(integers) low = {0}, high = {0};
      for (uint32_t k = starts[o]; k < end; k++) {
        NAME(integers) v[2];
        __builtin_memcpy(v, panel + (size_t)inputs[k] * XBAR_PANEL, sizeof v);
        low += v[0] * weights[k];
        high += v[1] * weights[k];
      }
      for (int w = 0; w < 16; w++) {
        sums[w] = low[w];
        sums[w + 16] = high[w];
      }
    } else {
      for (int w = 0; w < XBAR_PANEL; w++) sums[w] = 0;
      for (uint32_t k = starts[o]; k < end; k++) {
        const int32_t *v = panel + (size_t)inputs[k] * XBAR_PANEL;
        for (int w = 0; w < XBAR_PANEL; w++) sums[w] += (int64_t)v[w] * weights[k];
      }
    }
    for (size_t w = 0; w < windows; w++) results[w * stride + o] += sums[w];
  }
}

// Bits 0 ..< count of a plane for digits `tests[0 ..< 4]`, from `count` rows of a panel.
static inline TARGET __attribute__((always_inline)) void NAME(four_planes)(const uint32_t *rows, uint32_t count,
                                                                           const uint32_t *tests,
                                                                           NAME(lanes) planes[4][2]) {
  for (int d = 0; d < 4; d++) planes[d][0] = planes[d][1] = (NAME(lanes)){0};
  for (uint32_t k = 0; k < count; k++) {
    NAME(lanes) v[2];
    __builtin_memcpy(v, rows + (size_t)k * XBAR_PANEL, sizeof v);
    const uint32_t bit = 1u << k;
    for (int d = 0; d < 4; d++)
      for (int half = 0; half < 2; half++) planes[d][half] |= (NAME(lanes))((v[half] & tests[d]) != 0) & bit;
  }
}

static TARGET void NAME(build_planes)(const uint32_t *panel, const xbar_plane_word *words, size_t count,
                                      uint32_t first, uint32_t digits, uint32_t digit_bits, uint64_t *planes) {
  const uint64_t digit = (1ull << digit_bits) - 1;
  for (size_t n = 0; n < count; n++) {
    const uint32_t *rows = panel + (size_t)words[n].input * XBAR_PANEL;
    const uint32_t inputs = words[n].count;
    const uint32_t low_rows = inputs < 32 ? inputs : 32;
    for (uint32_t base = 0; base < digits; base += 4) {
      const uint32_t some = digits - base < 4 ? digits - base : 4;
      uint32_t tests[4] = {0};
      for (uint32_t d = 0; d < some; d++)
        tests[d] = (uint32_t)(digit << ((first + base + d) * digit_bits) >> words[n].shift);
      NAME(lanes) low[4][2], high[4][2];
      NAME(four_planes)(rows, low_rows, tests, low);
      NAME(four_planes)(rows + 32 * XBAR_PANEL, inputs - low_rows, tests, high);
      for (uint32_t d = 0; d < some; d++) {
        uint64_t *out = planes + ((base + d) * count + n) * XBAR_PANEL;
        uint32_t lanes[2][XBAR_PANEL];
        __builtin_memcpy(lanes[0], low[d], sizeof lanes[0]);
        __builtin_memcpy(lanes[1], high[d], sizeof lanes[1]);
        for (int w = 0; w < XBAR_PANEL; w++) out[w] = lanes[0][w] | (uint64_t)lanes[1][w] << 32;
      }
    }
  }
}

// How many bits of each lane are set.
static inline TARGET __attribute__((always_inline)) NAME(longs) NAME(bit_counts)(NAME(longs) v) {
  if (COUNTS_BITS) {
    for (int k = 0; k < 8; k++) v[k] = (uint64_t)__builtin_popcountll(v[k]);
    return v;
  }
  v -= v >> 1 & 0x5555555555555555ull;
  v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
  v = (v + (v >> 4)) & 0x0F0F0F0F0F0F0F0Full;
  v += v >> 8;
  v += v >> 16;
  return (v + (v >> 32)) & 0x7F;
}

static TARGET void NAME(count_units)(const xbar_wordline_masks *masks, const uint64_t *planes, size_t words,
                                     uint32_t digits, uint32_t *units) {
  // For n up to 2^13 and a height up to 2^12, (n * scale) >> 26 is n / height.
  const uint32_t scale = ((1u << 26) + masks->height - 1) / masks->height;
  NAME(longs) sums[4] = {{0}, {0}, {0}, {0}};
  for (uint32_t t = 0; t < digits; t++, planes += words * XBAR_PANEL) {
    NAME(longs) bits[4] = {{0}, {0}, {0}, {0}};
    for (uint32_t n = 0; n < masks->count; n++) {
      NAME(longs) v[4];
      __builtin_memcpy(v, planes + (size_t)masks->words[n] * XBAR_PANEL, sizeof v);
      for (int k = 0; k < 4; k++) bits[k] += NAME(bit_counts)(v[k] & masks->masks[n]);
    }
    for (int k = 0; k < 4; k++) sums[k] += ((bits[k] + (masks->height - 1)) & 0xFFFFFFFFull) * scale >> 26;
  }
  for (int k = 0; k < 4; k++)
    for (int w = 0; w < 8; w++) units[8 * k + w] += (uint32_t)sums[k][w];
}
