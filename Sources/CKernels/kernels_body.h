// The kernels, compiled once for each instruction set: NAME(x) gives the variant's name, TARGET its attribute.
// Vectors are 64 lanes wide whatever the processor has; the compiler splits them.

typedef uint8_t NAME(bytes) __attribute__((vector_size(64)));
typedef uint16_t NAME(halves) __attribute__((vector_size(128)));
typedef uint32_t NAME(words) __attribute__((vector_size(256)));
typedef int32_t NAME(integers) __attribute__((vector_size(64)));

static TARGET int64_t NAME(split_nibbles)(const xbar_nibble_map *map, const uint32_t *values, size_t stride,
                                          size_t windows, uint8_t *nibbles, uint64_t *active) {
  const size_t row = map->slots / 4;
  const uint32_t digits = map->digits;
  int64_t set = 0;
  for (size_t w = 0; w < windows; w++) {
    const uint32_t *x = values + w * stride;
    uint8_t *out = nibbles + w * digits * row;
    for (uint32_t s = 0; s < map->slots; s += 8) {
      uint32_t v[8];
      for (int k = 0; k < 8; k++) v[k] = (x[map->inputs[s + k]] & map->masks[s + k]) << map->shifts[s + k];
      for (uint32_t base = 0; base < digits; base += 8) {
        uint64_t b = 0;
        for (int k = 0; k < 8; k++) b |= (uint64_t)((v[k] >> base) & 0xFF) << (8 * k);
        set += __builtin_popcountll(b);
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
  return set;
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
    const int counting) {
  const NAME(halves) *tables = (const NAME(halves) *)strip->tables;
  const NAME(halves) maximum = (NAME(halves)){0} + (uint16_t)strip->maximum;
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
  if (strip->wide)
    return strip->counting ? NAME(fixed_halves)(strip, nibbles, active, windows, sums, 1)
                           : NAME(fixed_halves)(strip, nibbles, active, windows, sums, 0);
  if (n == 4)
    return strip->counting ? NAME(fixed_bytes)(strip, nibbles, active, windows, sums, 4, 1)
                           : NAME(fixed_bytes)(strip, nibbles, active, windows, sums, 4, 0);
  return strip->counting ? NAME(fixed_bytes)(strip, nibbles, active, windows, sums, n, 1)
                         : NAME(fixed_bytes)(strip, nibbles, active, windows, sums, n, 0);
}

static TARGET int64_t NAME(convert_listed_narrow)(const xbar_listed_strip *strip, const uint32_t *entries,
                                                  const uint32_t *unit_starts, const uint32_t *digit_starts,
                                                  size_t windows, uint32_t *sums) {
  const NAME(bytes) maximum = (NAME(bytes)){0} + (uint8_t)(strip->maximum > 255 ? 255 : strip->maximum);
  NAME(bytes) over = {0};
  int64_t saturated = 0;
  uint32_t counted = 0;
  for (size_t w = 0; w < windows; w++) {
    NAME(words) sum = {0};
    for (uint32_t t = 0; t < strip->digits; t++) {
      const uint32_t *range = digit_starts + w * strip->digits + t;
      NAME(bytes) part = {0};
      uint32_t pending = 0;
      for (uint32_t u = range[0]; u < range[1]; u++) {
        NAME(bytes) v = {0};
        for (uint32_t e = unit_starts[u]; e < unit_starts[u + 1]; e++) {
          NAME(bytes) row;
          __builtin_memcpy(&row, strip->cells + (size_t)(entries[e] & 0xFFFF) * XBAR_STRIP, XBAR_STRIP);
          v = __builtin_elementwise_add_sat(v, row);
        }
        over -= (NAME(bytes))(v > maximum);
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

static TARGET int64_t NAME(convert_listed_wide)(const xbar_listed_strip *strip, const uint32_t *entries,
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
          const uint8_t *row = strip->cells + (size_t)(entries[e] & 0xFFFF) * XBAR_STRIP;
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
        saturated += over[l];
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

static TARGET int64_t NAME(weighted_bits)(const uint32_t *values, size_t count, const int64_t *weights,
                                          size_t period) {
  int64_t sum = 0;
  for (size_t base = 0; base + period <= count; base += period)
    for (size_t k = 0; k < period; k++) sum += weights[k] * __builtin_popcount(values[base + k]);
  return sum;
}

static const kernel_table NAME(table) = {
    NAME(split_nibbles),         NAME(fill_tables), NAME(convert_fixed), NAME(convert_listed_narrow),
    NAME(convert_listed_wide),   NAME(multiply),    NAME(split_signs),   NAME(weighted_bits),
};
