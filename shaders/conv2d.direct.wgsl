// conv2d.direct: direct convolution with stride 1, for subgroups of 8 lanes: the fastest on software adapters
//
//   y[n,m,i,j] = bias[m] + sum_crs weight[m,c,r,s] x[n,c,i+r-top,j+s-left],  then ReLU if asked for
//
// The gradient of a convolution's input is a convolution of dy with the kernel turned by 180 degrees:
//   dx[n,c,h,w] = sum_ors weight[o,c,r,s] dy[n,o,h-r+padH,w-s+padW]          (r -> R-1-r, top = R-1-padH; s and left likewise)
//
// shapes    x: [images, channels, inH, inW], bias: [m], y: [images, m, outH, outW]; the tap [m,c,r,s] of weight is at
//           rowStep m + channelStep c + firstTap + tapStep (S r + s). `whole` needs outW to be a multiple of 4; `pooled` needs outH to
//           be a multiple of 2 and outW of 8, and writes the largest of each 2 x 2 window and its place as maxPool2d.halve does
// parallel  one subgroup per tile of 16 output channels m and 8 pieces of rows, of 4 QUADS pixels each. A lane loads a piece of
//           a row of x once for all S taps, and the taps of two output channels. It reads the other lanes' taps by shuffles with a
//           constant lane, which are broadcasts. Neighbouring lanes have the same piece of neighbouring images, so a tile can
//           skip the rows of the kernel that lie outside the image. In `pooled`, pairs of lanes have neighbouring rows of an image
// numerics  the S products of a row are summed before they are added to the running sum; the order is fixed

enable subgroups;

override S: u32 = 5; // columns of the kernel, 2 to 7
override QUADS: u32 = 2; // 1, 2 or 3; pooled: 2
override LOADS: u32 = 12; // numbers to load: 4 QUADS + S - 1, or fewer if the piece is a whole row of the image
override ZEROS: u32 = 0; // zeros of the padding before them, if the piece is a whole row
override PADDED = false; // whether pieces reach beyond the image
override ALIGNED = false; // whether the numbers to load begin at multiples of 4
override POOLED = false;

struct Params {
  m: u32, images: u32, channels: u32, inH: u32, inW: u32, outH: u32, outW: u32, r: u32, top: i32, left: i32,
  rowStep: u32, channelStep: u32, firstTap: i32, tapStep: i32, hasBias: u32, relu: u32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> index: array<u32>;

alias Piece = array<f32, 20>;
alias Taps = array<f32, 7>;

// Pixels 4 q to 4 q + 3 of channel 8 b + lane are at [16 q + 8 b + lane]. The loop that writes y is not unrolled, which keeps the array
// in memory. In registers it would take compilers for CPUs half a minute.
var<private> sum: array<vec4f, 48>;

fn addRows(first: u32, piece: Piece, at: u32, taps: Taps) {
  for (var lane = 0u; lane < 8u; lane++) {
    var products = vec4f(); // explicit: without a value, Dawn keeps that of the last round
    for (var s = 0u; s < 7u; s++) {
      if (s < S) {
        let pixels = vec4f(piece[at + s], piece[at + s + 1u], piece[at + s + 2u], piece[at + s + 3u]);
        products += pixels * subgroupShuffle(taps[s], lane);
      }
    }
    sum[first + lane] += products;
  }
}

fn inside(pixel: f32, row: i32, col: i32) -> f32 {
  return select(pixel, 0.0, PADDED && (u32(row) >= params.inH || u32(col) >= params.inW));
}

// A CPU loads a vec4 faster than four numbers, because it checks only once whether the lane is active.
fn loadPiece(at: i32, row: i32, col: i32) -> Piece {
  var piece = Piece();
  if (ALIGNED) {
    for (var i = 0u; i < 16u; i += 4u) {
      if (i < LOADS) {
        let four = x4[(at + i32(i)) / 4];
        for (var j = 0u; j < 4u; j++) { piece[ZEROS + i + j] = inside(four[j], row, col + i32(i + j)); }
      }
    }
  } else {
    for (var i = 0u; i < 18u; i++) {
      if (i < LOADS) { piece[ZEROS + i] = inside(x[at + i32(i)], row, col + i32(i)); }
    }
  }
  return piece;
}

fn loadTaps(row: u32, at: i32) -> Taps {
  var taps = Taps();
  for (var s = 0u; s < 7u; s++) {
    if (s < S) { taps[s] = weight[i32(row * params.rowStep) + at + i32(s) * params.tapStep]; }
  }
  return taps;
}

// Tiles are numbered so that those with the same pieces follow each other.
struct Tile { firstPiece: u32, firstRow: u32, rows: u32 }

fn tileOf(wid: vec3u, groups: vec3u) -> Tile {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + 15u) / 16u;
  let firstRow = 16u * (tile % down);
  return Tile(8u * (tile / down), firstRow, min(16u, params.m - firstRow));
}

struct Place { image: u32, row: u32, col: u32 }

// Computes the sums of a lane's piece of y, and returns its place.
fn convolve(tile: Tile, lane: u32) -> Place {
  let piecesPerRow = (params.outW + 4u * QUADS - 1u) / (4u * QUADS);
  let rowsTogether = select(1u, 2u, POOLED);
  let together = rowsTogether * params.images * piecesPerRow;
  let piece = tile.firstPiece + lane;
  let image = piece / rowsTogether % params.images;
  let outRow = piece / together * rowsTogether + lane % rowsTogether;
  let firstCol = 4u * QUADS * (piece / rowsTogether / params.images % piecesPerRow);
  // Rows of the kernel that lie inside the image, for the first and for the last row of the tile.
  let lastRow = ((tile.firstPiece + 7u) / together + 1u) * rowsTogether - 1u;
  let begin = max(params.top - i32(min(lastRow, params.outH - 1u)), 0);
  let end = min(i32(params.inH) + params.top - i32(tile.firstPiece / together * rowsTogether), i32(params.r));

  let col = i32(firstCol) - params.left;
  for (var c = 0u; c < params.channels; c++) {
    let channel = i32((image * params.channels + c) * params.inH);
    for (var r = begin; r < end; r++) {
      let row = i32(outRow) + r - params.top;
      let pixels = loadPiece((channel + row) * i32(params.inW) + col, row, col);
      let at = i32(c * params.channelStep) + params.firstTap + r * i32(S) * params.tapStep;
      let upper = loadTaps(tile.firstRow + lane, at);
      let lower = loadTaps(tile.firstRow + 8u + lane, at);
      addRows(0u, pixels, 0u, upper);
      addRows(8u, pixels, 0u, lower);
      if (QUADS > 1u) { addRows(16u, pixels, 4u, upper); addRows(24u, pixels, 4u, lower); }
      if (QUADS > 2u) { addRows(32u, pixels, 8u, upper); addRows(40u, pixels, 8u, lower); }
    }
  }
  return Place(image, outRow, firstCol);
}

// The sums of 4 pixels of a channel, with the bias.
fn biased(tile: Tile, row: u32, q: u32) -> vec4f {
  var constant = 0.0;
  if (params.hasBias == 1u) { constant = bias[tile.firstRow + row]; }
  return sum[16u * q + row] + constant;
}

fn rectified(z: vec4f) -> vec4f { return select(z, vec4f(), vec4(params.relu == 1u) & (z < vec4f())); }

@compute @workgroup_size(8)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = tileOf(wid, groups);
  let to = convolve(tile, lane);
  if (to.row >= params.outH) { return; }
  for (var row = 0u; row < tile.rows; row++) {
    let at = ((to.image * params.m + tile.firstRow + row) * params.outH + to.row) * params.outW;
    for (var q = 0u; q < QUADS; q++) {
      let value = rectified(biased(tile, row, q));
      for (var i = 0u; i < 4u; i++) {
        let j = to.col + 4u * q + i;
        if (j < params.outW) { y[at + j] = value[i]; }
      }
    }
  }
}

@compute @workgroup_size(8)
fn whole(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = tileOf(wid, groups);
  let to = convolve(tile, lane);
  if (to.row >= params.outH) { return; }
  for (var row = 0u; row < tile.rows; row++) {
    let at = (((to.image * params.m + tile.firstRow + row) * params.outH + to.row) * params.outW + to.col) / 4u;
    for (var q = 0u; q < QUADS; q++) {
      if (to.col + 4u * q < params.outW) { y4[at + q] = rectified(biased(tile, row, q)); }
    }
  }
}

@compute @workgroup_size(8)
fn pooled(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = tileOf(wid, groups);
  let to = convolve(tile, lane);
  let writes = to.row % 2u == 0u && to.row < params.outH;
  for (var row = 0u; row < tile.rows; row++) {
    let left = biased(tile, row, 0u);
    let right = biased(tile, row, 1u);
    let best = better(Best(vec4f(left.xz, right.xz), vec4u()), vec4f(left.yw, right.yw), vec4u(1u));
    // From the lane with the row below.
    let below = Best(subgroupShuffleXor(best.value, 1u), subgroupShuffleXor(best.place, 1u));
    let four = pooledOf(better(best, below.value, below.place + 2u), params.relu == 1u);
    if (writes) {
      let plane = (to.image * params.m + tile.firstRow + row) * (params.outH / 2u);
      let at = (plane + to.row / 2u) * (params.outW / 8u) + to.col / 8u;
      y4[at] = four.value;
      index[at] = four.index;
    }
  }
}
