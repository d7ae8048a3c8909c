// Turns a mask of class ids into one smooth outline per class, which stays crisp at any zoom.

// Every point is the mean of so many neighbouring steps around the pixels: no staircase, half a pixel off at most.
const SMOOTHED_OVER = 3;
const SHORTEST_SMOOTHED = 16;

// The mask with a border of background, so that no pixel's neighbour lies outside; kept from picture to picture.
let padded = new Uint8Array(0);
let visited = new Uint8Array(0);
let stride = 0;

// The steps around one region: middles of pixel sides.
let stepsX = new Float32Array(4096);
let stepsY = new Float32Array(4096);

// A Map from class id to Path2D, in pixels of the mask. `wanted[id]` is 1 for the classes to trace.
export function traceOutlines(ids, width, height, wanted) {
  pad(ids, width, height);
  const paths = new Map();
  for (let y = 1; y <= height; y += 1) {
    let before = 0;
    for (let at = y * stride + 1, end = at + width; at < end; at += 1) {
      const id = padded[at];
      // A pixel whose left neighbour is of another class begins an outline, unless one went by here.
      if (id !== before && wanted[id] === 1 && visited[at] === 0) {
        let path = paths.get(id);
        if (path === undefined) paths.set(id, path = new Path2D());
        add(path, follow(at, id));
      }
      before = id;
    }
  }
  return paths;
}

function pad(ids, width, height) {
  stride = width + 2;
  const size = stride * (height + 2);
  if (padded.length !== size) {
    padded = new Uint8Array(size);
    visited = new Uint8Array(size);
  } else {
    padded.fill(0);
    visited.fill(0);
  }
  for (let y = 0; y < height; y += 1) padded.set(ids.subarray(y * width, (y + 1) * width), (y + 1) * stride + 1);
}

// Walks around a region, or a hole in it, with the region on the right hand; from the left side of a pixel upwards.
function follow(pixel, id) {
  const start = pixel + stride;
  let corner = start;
  let x = (start % stride) - 1;
  let y = Math.floor(start / stride) - 1;
  let heading = 0;
  let steps = 0;
  do {
    if (steps === stepsX.length) grow();
    // Of the two pixels ahead: the pixel at `corner` is the one below and to the right of it.
    let left;
    let right;
    if (heading === 0) {
      visited[corner - stride] = 1;
      corner -= stride;
      stepsX[steps] = x; stepsY[steps] = y - 0.5;
      y -= 1;
      left = corner - stride - 1; right = corner - stride;
    } else if (heading === 1) {
      corner += 1;
      stepsX[steps] = x + 0.5; stepsY[steps] = y;
      x += 1;
      left = corner - stride; right = corner;
    } else if (heading === 2) {
      corner += stride;
      stepsX[steps] = x; stepsY[steps] = y + 0.5;
      y += 1;
      left = corner; right = corner - 1;
    } else {
      corner -= 1;
      stepsX[steps] = x - 0.5; stepsY[steps] = y;
      x -= 1;
      left = corner - 1; right = corner - stride - 1;
    }
    steps += 1;
    if (padded[right] !== id) heading = (heading + 1) & 3;
    else if (padded[left] === id) heading = (heading + 3) & 3;
  } while (corner !== start || heading !== 0);
  return steps;
}

function add(path, steps) {
  const over = steps < SHORTEST_SMOOTHED ? 1 : SMOOTHED_OVER;
  for (let from = 0; from < steps; from += over) {
    const to = Math.min(from + over, steps);
    let x = 0;
    let y = 0;
    for (let at = from; at < to; at += 1) { x += stepsX[at]; y += stepsY[at]; }
    if (from === 0) path.moveTo(x / (to - from), y / (to - from));
    else path.lineTo(x / (to - from), y / (to - from));
  }
  path.closePath();
}

function grow() {
  const [longerX, longerY] = [new Float32Array(2 * stepsX.length), new Float32Array(2 * stepsY.length)];
  longerX.set(stepsX);
  longerY.set(stepsY);
  [stepsX, stepsY] = [longerX, longerY];
}
