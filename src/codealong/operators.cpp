// Pooling with ReLU, and the whole first block, forward and backward. `native.py` compiles it; `operators.py` calls it.
// Images are channels last: a pixel's channels are neighbours, so one instruction treats many of them.
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

// Of two floating-point numbers that are not negative, the larger one has the larger bits, and a negative one has its
// sign bit set. So the largest of four pixels and 0, taken as signed integers, is ReLU after max-pooling.
template <class Bits, Bits infinity>
static void pool_relu(const Bits* x, Bits* y, uint8_t* which, int64_t images,
                      int64_t height, int64_t width, int64_t channels, int threads) {
    const int64_t rows = height / 2, columns = width / 2;
    constexpr Bits nan = std::numeric_limits<Bits>::max();
#pragma omp parallel for num_threads(threads)
    for (int64_t row = 0; row < images * rows; ++row)
        for (int64_t column = 0; column < columns; ++column) {
            const Bits* pixel = x + ((row / rows * height + row % rows * 2) * width + column * 2) * channels;
            const int64_t out = (row * columns + column) * channels;
#pragma omp simd
            for (int64_t c = 0; c < channels; ++c) {
                Bits best = 0, at = 4;  // 4: none is above 0, and none gets a gradient
                for (Bits k = 0; k < 4; ++k) {
                    Bits value = pixel[(k / 2 * width + k % 2) * channels + c];
                    value = (value & nan) > infinity ? nan : value;
                    const bool better = (value > best) | (value == nan);
                    best = better ? value : best;
                    at = better ? k : at;
                }
                y[out + c] = best;
                which[out + c] = at;
            }
        }
}

// Each gradient goes to the pixel it came from, and the other three get 0. With an odd height or width, the last row or
// column is in no window.
template <class Bits>
static void pool_relu_backward(const Bits* gradient, const uint8_t* which, Bits* result, int64_t images,
                               int64_t height, int64_t width, int64_t channels, int threads) {
    const int64_t rows = height / 2, columns = width / 2;
#pragma omp parallel for num_threads(threads)
    for (int64_t image = 0; image < images; ++image) {
        Bits* whole = result + image * height * width * channels;
        if (height % 2 || width % 2) std::memset(whole, 0, height * width * channels * sizeof(Bits));
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t column = 0; column < columns; ++column) {
                const int64_t from = ((image * rows + row) * columns + column) * channels;
                for (Bits k = 0; k < 4; ++k) {
                    Bits* pixel = whole + ((row * 2 + k / 2) * width + column * 2 + k % 2) * channels;
#pragma omp simd
                    for (int64_t c = 0; c < channels; ++c) {
                        const Bits its = which[from + c] == k;  // 0 or 1
                        pixel[c] = gradient[from + c] & -its;
                    }
                }
            }
    }
}

#ifdef __AVX512F__
constexpr int LANES = 16;  // channels treated at once: as many float32 as a register has
#else
constexpr int LANES = 8;
#endif
typedef float Float __attribute__((vector_size(LANES * 4)));
typedef double Double __attribute__((vector_size(LANES * 8)));
typedef uint32_t Words __attribute__((vector_size(LANES * 4)));
typedef uint16_t Halves __attribute__((vector_size(LANES * 2)));
typedef int8_t Bytes __attribute__((vector_size(LANES)));
struct BFloat16 { uint16_t bits; };

template <class Vector, class Scalar>
static Vector load(const Scalar* from, int count) {
    Vector lanes = {};
    std::memcpy(&lanes, from, count == LANES ? sizeof lanes : count * sizeof(Scalar));
    return lanes;
}
template <>
Float load<Float, BFloat16>(const BFloat16* from, int count) {
    return (Float)(__builtin_convertvector(load<Halves>(&from->bits, count), Words) << 16);
}
template <class Vector, class Scalar>
static void store(Scalar* to, Vector lanes, int count) {
    std::memcpy(to, &lanes, count == LANES ? sizeof lanes : count * sizeof(Scalar));
}
template <>
void store<Float, BFloat16>(BFloat16* to, Float lanes, int count) {  // to the nearest, to even where two are as near
    const Words bits = (Words)lanes, nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    store(&to->bits, __builtin_convertvector(lanes == lanes ? nearest : Words{} + 0x7fff, Halves), count);
}

// An image with a border of zeros, its pixels replaced by the values that stand for them.
template <class Scalar>
static void look_up(const uint8_t* image, const Scalar* levels, int64_t height, int64_t width, Scalar* padded) {
    for (int64_t row = 0; row < height; ++row)
        for (int64_t column = 0; column < width; ++column)
            padded[(row + 1) * (width + 2) + column + 1] = levels[image[row * width + column]];
}

// Weights are (9, channels): of each channel, one for each neighbour. Nothing of the size of the convolution is stored.
template <class Vector, class Scalar, class Out>
static void first_block(const uint8_t* images, const Scalar* levels, const Scalar* weight, const Scalar* bias,
                        Out* y, uint8_t* which, int64_t count, int64_t height, int64_t width,
                        int64_t channels, int threads) {
    const int64_t rows = height / 2, columns = width / 2, line = width + 2;
#pragma omp parallel num_threads(threads)
    {
        std::vector<Scalar> padded((height + 2) * line);
#pragma omp for
        for (int64_t image = 0; image < count; ++image) {
            look_up(images + image * height * width, levels, height, width, padded.data());
            for (int64_t c = 0; c < channels; c += LANES) {
                const int lanes = channels - c < LANES ? channels - c : LANES;
                Vector taps[9];
                for (int tap = 0; tap < 9; ++tap) taps[tap] = load<Vector>(weight + tap * channels + c, lanes);
                const Vector start = load<Vector>(bias + c, lanes);
                for (int64_t row = 0; row < rows; ++row)
                    for (int64_t column = 0; column < columns; ++column) {
                        const Scalar* patch = &padded[row * 2 * line + column * 2];
                        Vector best = {};
                        auto at = (best == best) & 4;
                        for (int k = 0; k < 4; ++k) {
                            Vector sum = start;
                            for (int tap = 0; tap < 9; ++tap)
                                sum += taps[tap] * patch[(k / 2 + tap / 3) * line + k % 2 + tap % 3];
                            const auto better = (sum > best) | (sum != sum);
                            best = better ? sum : best;
                            at = better ? decltype(at){} + k : at;
                        }
                        const int64_t out = ((image * rows + row) * columns + column) * channels + c;
                        store(y + out, best, lanes);
                        store((int8_t*)which + out, __builtin_convertvector(at, Bytes), lanes);
                    }
            }
        }
    }
}

// Gradients of weights and bias, in the same layout. Sums are made image by image, so that they lose little, and added
// in the order of the threads, so that the same threads give the same bits.
template <class Vector, class Scalar, class Out>
static void first_block_backward(const Out* gradient, const uint8_t* which, const uint8_t* images,
                                 const Scalar* levels, Scalar* result, int64_t count,
                                 int64_t height, int64_t width, int64_t channels, int threads) {
    const int64_t rows = height / 2, columns = width / 2, line = width + 2;
    std::vector<Scalar> sums(threads * 10 * channels);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int thread = 0; thread < threads; ++thread) {
        std::vector<Scalar> padded((height + 2) * line);
        Scalar* own = &sums[thread * 10 * channels];
        for (int64_t image = count * thread / threads; image < count * (thread + 1) / threads; ++image) {
            look_up(images + image * height * width, levels, height, width, padded.data());
            for (int64_t c = 0; c < channels; c += LANES) {
                const int lanes = channels - c < LANES ? channels - c : LANES;
                Vector sum[10] = {};
                for (int64_t row = 0; row < rows; ++row)
                    for (int64_t column = 0; column < columns; ++column) {
                        const Scalar* patch = &padded[row * 2 * line + column * 2];
                        const int64_t from = ((image * rows + row) * columns + column) * channels + c;
                        const Vector all = load<Vector>(gradient + from, lanes);
                        const auto at = __builtin_convertvector(load<Bytes>((int8_t*)which + from, lanes),
                                                                decltype(all == all));
                        for (int k = 0; k < 4; ++k) {
                            const Vector its = at == k ? all : Vector{};
                            for (int tap = 0; tap < 9; ++tap)
                                sum[tap] += its * patch[(k / 2 + tap / 3) * line + k % 2 + tap % 3];
                            sum[9] += its;
                        }
                    }
                for (int tap = 0; tap < 10; ++tap)
                    store(own + tap * channels + c, load<Vector>(own + tap * channels + c, lanes) + sum[tap], lanes);
            }
        }
    }
    for (int64_t i = 0; i < 10 * channels; ++i) {
        result[i] = 0;
        for (int thread = 0; thread < threads; ++thread) result[i] += sums[thread * 10 * channels + i];
    }
}

#define POOL(type, Bits, infinity)                                                                                    \
    extern "C" void pool_relu_##type(const Bits* x, Bits* y, uint8_t* which, int64_t n, int64_t h, int64_t w,        \
                                     int64_t c, int threads) {                                                       \
        pool_relu<Bits, infinity>(x, y, which, n, h, w, c, threads);                                                  \
    }                                                                                                                 \
    extern "C" void pool_relu_backward_##type(const Bits* gradient, const uint8_t* which, Bits* result, int64_t n,   \
                                              int64_t h, int64_t w, int64_t c, int threads) {                        \
        pool_relu_backward(gradient, which, result, n, h, w, c, threads);                                            \
    }
POOL(bfloat16, int16_t, 0x7f80)
POOL(float32, int32_t, 0x7f800000)
POOL(float64, int64_t, 0x7ff0000000000000)

#define FIRST(type, Vector, Scalar, Out)                                                                              \
    extern "C" void first_block_##type(const uint8_t* images, const Scalar* levels, const Scalar* weight,            \
                                       const Scalar* bias, Out* y, uint8_t* which, int64_t n, int64_t h, int64_t w,  \
                                       int64_t c, int threads) {                                                     \
        first_block<Vector>(images, levels, weight, bias, y, which, n, h, w, c, threads);                            \
    }                                                                                                                 \
    extern "C" void first_block_backward_##type(const Out* gradient, const uint8_t* which, const uint8_t* images,    \
                                                const Scalar* levels, Scalar* result, int64_t n, int64_t h,          \
                                                int64_t w, int64_t c, int threads) {                                 \
        first_block_backward<Vector>(gradient, which, images, levels, result, n, h, w, c, threads);                  \
    }
FIRST(bfloat16, Float, float, BFloat16)
FIRST(float32, Float, float, float)
FIRST(float64, Double, double, double)
