// Enough of CUDA to run clahe.cu on a CPU: blocks one after another, the threads of a block as coroutines that change
// at each __syncthreads().
#include <math.h>
#include <ucontext.h>

#include <functional>
#include <vector>

#define __device__ static inline
#define __global__
#define __shared__ static

struct Extent {
    int x, y;
};
static Extent threadIdx, blockIdx, blockDim, gridDim;

static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline void atomicAdd(int* sum, int value) { *sum += value; }

struct Thread {
    ucontext_t state;
    std::vector<char> stack = std::vector<char>(1 << 16);
    bool ended;
};
static ucontext_t scheduler;
static std::vector<Thread> threads(1024);
static Thread* running;
static const std::function<void()>* body;

static void __syncthreads() { swapcontext(&running->state, &scheduler); }

static void run_thread() {
    (*body)();
    running->ended = true;
    __syncthreads();
}

static void run_block() {
    int count = blockDim.x * blockDim.y, left = count;
    for (int i = 0; i < count; i++) {
        threads[i].ended = false;
        getcontext(&threads[i].state);
        threads[i].state.uc_stack.ss_sp = threads[i].stack.data();
        threads[i].state.uc_stack.ss_size = threads[i].stack.size();
        makecontext(&threads[i].state, run_thread, 0);
    }
    while (left)
        for (int i = 0; i < count; i++) {
            if (threads[i].ended) continue;
            running = &threads[i];
            threadIdx = {i % blockDim.x, i / blockDim.x};
            swapcontext(&scheduler, &running->state);
            left -= running->ended;
        }
}

static void run_grid(Extent blocks, Extent block, const std::function<void()>& work) {
    gridDim = blocks;
    blockDim = block;
    body = &work;
    for (blockIdx.y = 0; blockIdx.y < blocks.y; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < blocks.x; blockIdx.x++) run_block();
}

#include "clahe.cu"

extern "C" void run_make_tables(
    Extent blocks, Extent block, const byte* picture, int height, int width, int tile_height, int tile_width,
    int clip_limit, float scale, byte* tables) {
    run_grid(blocks, block, [&] {
        make_tables(picture, height, width, tile_height, tile_width, clip_limit, scale, tables);
    });
}

extern "C" void run_equalise(
    Extent blocks, Extent block, const byte* picture, int height, int width, int tile_height, int tile_width, int rows,
    int columns, const byte* tables, byte* equalised) {
    run_grid(blocks, block, [&] {
        equalise(picture, height, width, tile_height, tile_width, rows, columns, tables, equalised);
    });
}
