// Contrast-limited adaptive equalisation of a picture's luma, as OpenCV computes it on 8-bit pictures: BGR to YUV,
// a table of 256 greys for each tile of a grid, every pixel's grey from the four nearest tables, YUV to BGR.
// Integer arithmetic and the order of roundings are OpenCV's. Must be compiled without contraction (--fmad=false).

typedef unsigned char byte;

struct Yuv {
    int y, u, v;
};

// Fixed-point colour weights have 14 fractional bits.
__device__ int descale(int value) { return (value + (1 << 13)) >> 14; }

__device__ byte saturate(int value) { return (byte)min(max(value, 0), 255); }

__device__ Yuv to_yuv(const byte* bgr) {
    int y = descale(1868 * bgr[0] + 9617 * bgr[1] + 4899 * bgr[2]);
    int u = descale(8061 * (bgr[0] - y) + (128 << 14));
    int v = descale(14369 * (bgr[2] - y) + (128 << 14));
    Yuv yuv = {y, saturate(u), saturate(v)};
    return yuv;
}

__device__ void to_bgr(Yuv yuv, byte* bgr) {
    int u = yuv.u - 128, v = yuv.v - 128;
    bgr[0] = saturate(yuv.y + descale(33292 * u));
    bgr[1] = saturate(yuv.y + descale(-6472 * u - 9519 * v));
    bgr[2] = saturate(yuv.y + descale(18678 * v));
}

// Beyond the last row or column pixels repeat mirrored, the last one itself not doubled.
__device__ int mirrored(int place, int size) {
    if (size == 1) return 0;
    int within = place % (2 * size - 2);
    return min(within, 2 * size - 2 - within);
}

// One block of 256 threads, one for each grey, makes the table of one tile: tables[tile][grey]. `scale` is 255 / pixels.
extern "C" __global__ void make_tables(
    const byte* picture, int height, int width, int tile_height, int tile_width, int clip_limit, float scale, byte* tables) {
    __shared__ int counts[2][256];
    __shared__ int clipped;
    int grey = threadIdx.x;
    counts[0][grey] = 0;
    if (grey == 0) clipped = 0;
    __syncthreads();

    for (int i = grey; i < tile_height * tile_width; i += 256) {
        int y = mirrored(blockIdx.y * tile_height + i / tile_width, height);
        int x = mirrored(blockIdx.x * tile_width + i % tile_width, width);
        atomicAdd(&counts[0][to_yuv(picture + 3 * (y * width + x)).y], 1);
    }
    __syncthreads();

    // What exceeds the limit is spread over all greys; the rest that cannot be divided goes to every so-many-th.
    int count = counts[0][grey];
    if (count > clip_limit) {
        atomicAdd(&clipped, count - clip_limit);
        count = clip_limit;
    }
    __syncthreads();
    int rest = clipped % 256;
    int step = rest ? max(256 / rest, 1) : 256;
    counts[0][grey] = count + clipped / 256 + (grey % step == 0 && grey / step < rest);
    __syncthreads();

    // Running sum, doubling the reach each time.
    int from = 0;
    for (int reach = 1; reach < 256; reach *= 2) {
        counts[1 - from][grey] = counts[from][grey] + (grey >= reach ? counts[from][grey - reach] : 0);
        from = 1 - from;
        __syncthreads();
    }
    tables[256 * (blockIdx.y * gridDim.x + blockIdx.x) + grey] = saturate((int)rintf(counts[from][grey] * scale));
}

// One thread for each pixel.
extern "C" __global__ void equalise(
    const byte* picture, int height, int width, int tile_height, int tile_width, int rows, int columns,
    const byte* tables, byte* equalised) {
    int x = blockIdx.x * blockDim.x + threadIdx.x;
    int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;

    float across = x * (1.0f / tile_width) - 0.5f, down = y * (1.0f / tile_height) - 0.5f;
    int left = (int)floorf(across), above = (int)floorf(down);
    float to_right = across - left, to_below = down - above;
    int right = min(left + 1, columns - 1), below = min(above + 1, rows - 1);
    left = max(left, 0);
    above = max(above, 0);

    Yuv yuv = to_yuv(picture + 3 * (y * width + x));
    const byte* upper = tables + 256 * above * columns + yuv.y;
    const byte* lower = tables + 256 * below * columns + yuv.y;
    float grey = (upper[256 * left] * (1.0f - to_right) + upper[256 * right] * to_right) * (1.0f - to_below)
        + (lower[256 * left] * (1.0f - to_right) + lower[256 * right] * to_right) * to_below;
    yuv.y = saturate((int)rintf(grey));
    to_bgr(yuv, equalised + 3 * (y * width + x));
}
