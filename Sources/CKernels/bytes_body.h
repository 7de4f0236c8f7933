// The kernels of byte panels, compiled once for each instruction set as those of kernels_body.h.
// BYTE_DOT: 0 plain code, 1 pairs of 16 bits in 256-bit vectors, 2 the same in 512 bits, 3 four bytes at once (VNNI).

typedef uint8_t NAME(quarter) __attribute__((vector_size(16)));

// Vectors of 16 lanes that a product keeps in registers for each of four outputs.
#if BYTE_DOT >= 2
#define BYTE_VECTORS 4
#else
#define BYTE_VECTORS 1
#endif

// Lane by lane, sum + x0 w0 + x1 w1 + x2 w2 + x3 w3 for unsigned bytes x of a lane and the signed bytes w of `weight`.
static inline TARGET __attribute__((always_inline)) NAME(integers)
    NAME(dot)(NAME(integers) sum, NAME(lanes) x, int32_t weight) {
#if BYTE_DOT == 3
  return (NAME(integers))_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, _mm512_set1_epi32(weight));
#elif BYTE_DOT == 0
  for (int k = 0; k < 4; k++) sum += (NAME(integers))(x >> (8 * k) & 255) * (int8_t)(weight >> (8 * k));
  return sum;
#else
  const int32_t even = (int8_t)weight & 0xFFFF, odd = (int8_t)(weight >> 8) & 0xFFFF;
  const int32_t even_pair = even | (int32_t)((uint32_t)(int8_t)(weight >> 16) << 16);
  const int32_t odd_pair = odd | (int32_t)((uint32_t)(weight >> 24) << 16);
  const NAME(lanes) low = x & 0x00FF00FFu, high = x >> 8 & 0x00FF00FFu;
#if BYTE_DOT == 2
  return sum + (NAME(integers))_mm512_madd_epi16((__m512i)low, _mm512_set1_epi32(even_pair)) +
         (NAME(integers))_mm512_madd_epi16((__m512i)high, _mm512_set1_epi32(odd_pair));
#else
  __m256i halves[2], sums[2], lows[2], highs[2];
  __builtin_memcpy(lows, &low, sizeof lows);
  __builtin_memcpy(highs, &high, sizeof highs);
  __builtin_memcpy(sums, &sum, sizeof sums);
  for (int k = 0; k < 2; k++) {
    halves[k] = _mm256_add_epi32(_mm256_madd_epi16(lows[k], _mm256_set1_epi32(even_pair)),
                                 _mm256_madd_epi16(highs[k], _mm256_set1_epi32(odd_pair)));
    sums[k] = _mm256_add_epi32(sums[k], halves[k]);
  }
  __builtin_memcpy(&sum, sums, sizeof sum);
  return sum;
#endif
#endif
}

// `outputs` and `vectors` are constants.
static inline TARGET __attribute__((always_inline)) void NAME(multiply_block)(
    const uint8_t *panel, size_t groups, size_t lanes, const int8_t *weights, const int32_t *starts, uint32_t flip,
    int32_t *sums, const int outputs, const int vectors) {
  NAME(integers) s[4][4];
  for (int o = 0; o < outputs; o++)
    for (int v = 0; v < vectors; v++) s[o][v] = (NAME(integers)){0} + starts[o];
  for (size_t g = 0; g < groups; g++) {
    NAME(lanes) x[4];
    for (int v = 0; v < vectors; v++) {
      __builtin_memcpy(&x[v], panel + 4 * (g * lanes + XBAR_BYTE_LANES * v), sizeof x[v]);
      x[v] ^= flip;
    }
    for (int o = 0; o < outputs; o++) {
      int32_t weight;
      __builtin_memcpy(&weight, weights + 4 * (o * groups + g), sizeof weight);
      for (int v = 0; v < vectors; v++) s[o][v] = NAME(dot)(s[o][v], x[v], weight);
    }
  }
  for (int o = 0; o < outputs; o++)
    for (int v = 0; v < vectors; v++) __builtin_memcpy(sums + o * lanes + XBAR_BYTE_LANES * v, &s[o][v], sizeof s[o][v]);
}

// `vectors` is a constant.
static inline TARGET __attribute__((always_inline)) void NAME(multiply_lanes)(
    const uint8_t *panel, size_t groups, size_t lanes, const int8_t *weights, size_t outputs, const int32_t *starts,
    uint32_t flip, int32_t *sums, const int vectors) {
  size_t o = 0;
  for (; o + 4 <= outputs; o += 4)
    NAME(multiply_block)(panel, groups, lanes, weights + 4 * o * groups, starts + o, flip, sums + o * lanes, 4, vectors);
  for (; o < outputs; o++)
    NAME(multiply_block)(panel, groups, lanes, weights + 4 * o * groups, starts + o, flip, sums + o * lanes, 1, vectors);
}

static TARGET void NAME(multiply_panel)(const uint8_t *panel, size_t groups, size_t lanes, const int8_t *weights,
                                        size_t outputs, const int32_t *starts, int32_t flip, int32_t *sums) {
  const uint32_t mask = flip ? 0x80808080u : 0;
  size_t first = 0;
  for (; first + XBAR_BYTE_LANES * BYTE_VECTORS <= lanes; first += XBAR_BYTE_LANES * BYTE_VECTORS)
    NAME(multiply_lanes)(panel + 4 * first, groups, lanes, weights, outputs, starts, mask, sums + first, BYTE_VECTORS);
  for (; first < lanes; first += XBAR_BYTE_LANES)
    NAME(multiply_lanes)(panel + 4 * first, groups, lanes, weights, outputs, starts, mask, sums + first, 1);
}
#undef BYTE_VECTORS

static TARGET void NAME(interleave_rows)(const uint8_t *rows, size_t pitch, size_t inputs, size_t windows, size_t lanes,
                                         uint8_t *panel) {
  for (size_t g = 0; 4 * g < inputs; g++) {
    for (size_t lane = 0; lane < lanes; lane += XBAR_BYTE_LANES, panel += 4 * XBAR_BYTE_LANES) {
      NAME(lanes) words = {0};
      for (size_t k = 0; k < 4 && 4 * g + k < inputs; k++) {
        NAME(quarter) bytes = {0};
        const uint8_t *row = rows + (4 * g + k) * pitch + lane;
        if (lane + XBAR_BYTE_LANES <= windows)
          __builtin_memcpy(&bytes, row, sizeof bytes);
        else if (lane < windows)
          __builtin_memcpy(&bytes, row, windows - lane);
        words |= __builtin_convertvector(bytes, NAME(lanes)) << (uint32_t)(8 * k);
      }
      __builtin_memcpy(panel, &words, sizeof words);
    }
  }
}

// Adds how often each of the four inputs of a group was counted.
static inline TARGET __attribute__((always_inline)) void NAME(add_counts)(NAME(bytes) bytes, uint32_t *counts) {
  NAME(lanes) words;
  __builtin_memcpy(&words, &bytes, sizeof words);
  for (int k = 0; k < 4; k++) counts[k] += __builtin_reduce_add(words >> (8 * k) & 255);
}

static TARGET uint32_t NAME(count_panel)(const uint8_t *panel, size_t groups, size_t lanes, uint32_t digit_bits,
                                         int32_t is_signed, uint32_t *counts) {
  uint8_t lowest = 0;  // the lowest bit of every digit
  for (uint32_t bit = 0; bit < 8; bit += digit_bits) lowest |= (uint8_t)(1u << bit);
  NAME(bytes) all = {0};
  for (size_t g = 0; g < groups; g++, counts += 4) {
    NAME(bytes) sum = {0};
    uint32_t pending = 0;
    for (size_t lane = 0; lane < lanes; lane += XBAR_BYTE_LANES, panel += sizeof sum) {
      NAME(bytes) x;
      __builtin_memcpy(&x, panel, sizeof x);
      if (is_signed) {
        const NAME(bytes) sign = 0 - (x >> 7);
        x = (x ^ sign) - sign;
      }
      all |= x;
      NAME(bytes) v = x;
      for (uint32_t k = 1; k < digit_bits && k < 8; k++) v |= x >> (uint8_t)k;
      v &= lowest;
      // The set bits of every byte, in pairs, in fours, in all.
      v -= v >> 1 & 0x55;
      v = (v & 0x33) + (v >> 2 & 0x33);
      sum += (v + (v >> 4)) & 0x0F;
      if (++pending == 31) {
        NAME(add_counts)(sum, counts);
        sum = (NAME(bytes)){0};
        pending = 0;
      }
    }
    NAME(add_counts)(sum, counts);
  }
  return __builtin_reduce_or(all);
}

static TARGET void NAME(widen_panel)(const uint8_t *panel, size_t groups, size_t lanes, size_t first, int32_t is_signed,
                                     int32_t *values) {
  for (size_t g = 0; g < groups; g++, panel += 4 * lanes, values += 4 * 2 * XBAR_BYTE_LANES) {
    for (size_t half = 0; half < 2; half++) {
      const size_t lane = first + half * XBAR_BYTE_LANES;
      NAME(lanes) words = {0};
      if (lane < lanes) __builtin_memcpy(&words, panel + 4 * lane, sizeof words);
      for (int k = 0; k < 4; k++) {
        const NAME(integers) high = (NAME(integers))(words << (24 - 8 * k));
        const NAME(integers) x = is_signed ? high >> 24 : (NAME(integers))((NAME(lanes))high >> 24);
        __builtin_memcpy(values + (2 * k + half) * XBAR_BYTE_LANES, &x, sizeof x);
      }
    }
  }
}

static TARGET void NAME(scale_sums)(const int32_t *sums, size_t count, const xbar_byte_scale *scale, uint8_t *bytes) {
  const int64_t half = (int64_t)1 << (scale->shift - 1);
  const NAME(wide) low = (NAME(wide)){0} + scale->low, high = (NAME(wide)){0} + scale->high;
  for (size_t k = 0; k < count; k += XBAR_BYTE_LANES) {
    NAME(integers) x;
    __builtin_memcpy(&x, sums + k, sizeof x);
    NAME(wide) v = (__builtin_convertvector(x, NAME(wide)) * (int64_t)(int32_t)scale->multiplier + half) >> scale->shift;
    v = __builtin_elementwise_min(__builtin_elementwise_max(v, low), high) + scale->zero;
    const NAME(quarter) out = __builtin_convertvector(v, NAME(quarter));
    __builtin_memcpy(bytes + k, &out, sizeof out);
  }
}
