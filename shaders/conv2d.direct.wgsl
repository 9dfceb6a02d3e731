// conv2d.direct: direct convolution with stride 1, for subgroups of 8 lanes: the fastest on CPUs that play the GPU
//
//   y[n,m,i,j] = bias[m] + sum_crs weight[m,c,r,s] x[n,c,i+r-top,j+s-left],  then ReLU if asked for
//
// The gradient of a convolution's input is a convolution too: of dy, with the kernel turned by 180 degrees:
//   dx[n,c,h,w] = sum_ors weight[o,c,r,s] dy[n,o,h-r+padH,w-s+padW]          (r -> R-1-r, top = R-1-padH; s and left likewise)
//
// shapes    x: [images, channels, inH, inW], bias: [m], y: [images, m, outH, outW]; the tap [m,c,r,s] of weight is at
//           rowStep m + channelStep c + firstTap + tapStep (S r + s)
// parallel  one subgroup per tile of 16 output channels m and 8 pieces of rows, of 4 QUADS pixels each. A lane loads a piece of
//           a row of x once for all S taps, and the taps of two output channels. The other lanes' taps come by shuffles with a
//           constant lane, which are broadcasts. Neighbouring lanes have the same piece of neighbouring images, so a tile can
//           skip the rows of the kernel that lie outside the image
// numerics  the S products of a row are summed before they are added to the running sum; the order is fixed

enable subgroups;

override S: u32 = 5; // columns of the kernel, 2 to 7
override QUADS: u32 = 2; // 1, 2 or 3
override LOADS: u32 = 12; // numbers to load: 4 QUADS + S - 1, or fewer if the piece is a whole row of the image
override ZEROS: u32 = 0; // zeros of the padding before them, if the piece is a whole row
override PADDED = false; // whether pieces reach beyond the image

struct Params {
  m: u32, images: u32, channels: u32, inH: u32, inW: u32, outH: u32, outW: u32, r: u32, top: i32, left: i32,
  rowStep: u32, channelStep: u32, firstTap: i32, tapStep: i32, hasBias: u32, relu: u32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

alias Piece = array<f32, 18>;
alias Taps = array<f32, 7>;

// Pixels 4 q to 4 q + 3 of channel 8 b + lane are at [16 q + 8 b + lane]. The loop that writes them to y is not unrolled, which
// keeps them in memory. As registers they would take a compiler for CPUs half a minute.
var<private> sum: array<vec4f, 48>;

fn addRows(first: u32, piece: Piece, at: u32, taps: Taps) {
  for (var lane = 0u; lane < 8u; lane++) {
    var products = vec4f(); // an explicit value: Dawn otherwise keeps that of the last round
    for (var s = 0u; s < 7u; s++) {
      if (s < S) {
        let pixels = vec4f(piece[at + s], piece[at + s + 1u], piece[at + s + 2u], piece[at + s + 3u]);
        products += pixels * subgroupShuffle(taps[s], lane);
      }
    }
    sum[first + lane] += products;
  }
}

fn loadPiece(at: i32, row: i32, col: i32) -> Piece {
  var piece = Piece();
  for (var i = 0u; i < 18u; i++) {
    if (i >= ZEROS && i < ZEROS + LOADS) {
      let j = i32(i) - i32(ZEROS);
      piece[i] = x[at + j];
      if (PADDED) { piece[i] = select(0.0, piece[i], u32(row) < params.inH && u32(col + j) < params.inW); }
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

@compute @workgroup_size(8)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + 15u) / 16u;
  let firstRow = 16u * (tile % down);
  let piecesPerRow = (params.outW + 4u * QUADS - 1u) / (4u * QUADS);
  let piecesOfAllImages = params.images * piecesPerRow;
  let first = 8u * (tile / down);
  let image = (first + lane) % params.images;
  let outRow = (first + lane) / piecesOfAllImages;
  let firstCol = 4u * QUADS * ((first + lane) / params.images % piecesPerRow);
  // Rows of the kernel that lie inside the image, for the first and for the last row of the tile.
  let begin = max(params.top - i32(min((first + 7u) / piecesOfAllImages, params.outH - 1u)), 0);
  let end = min(i32(params.inH) + params.top - i32(first / piecesOfAllImages), i32(params.r));

  let col = i32(firstCol) - params.left;
  for (var c = 0u; c < params.channels; c++) {
    let channel = i32((image * params.channels + c) * params.inH);
    for (var r = begin; r < end; r++) {
      let row = i32(outRow) + r - params.top;
      let piece = loadPiece((channel + row) * i32(params.inW) + col, row, col);
      let at = i32(c * params.channelStep) + params.firstTap + r * i32(S) * params.tapStep;
      let upper = loadTaps(firstRow + lane, at);
      let lower = loadTaps(firstRow + 8u + lane, at);
      addRows(0u, piece, 0u, upper);
      addRows(8u, piece, 0u, lower);
      if (QUADS > 1u) { addRows(16u, piece, 4u, upper); addRows(24u, piece, 4u, lower); }
      if (QUADS > 2u) { addRows(32u, piece, 8u, upper); addRows(40u, piece, 8u, lower); }
    }
  }
  if (outRow >= params.outH) { return; }
  let rows = min(16u, params.m - firstRow);
  for (var row = 0u; row < rows; row++) {
    let at = ((image * params.m + firstRow + row) * params.outH + outRow) * params.outW;
    var constant = 0.0;
    if (params.hasBias == 1u) { constant = bias[firstRow + row]; }
    for (var q = 0u; q < QUADS; q++) {
      let z = sum[16u * q + row] + constant;
      let value = select(z, vec4f(), vec4(params.relu == 1u) & (z < vec4f()));
      for (var i = 0u; i < 4u; i++) {
        let j = firstCol + 4u * q + i;
        if (j < params.outW) { y[at + j] = value[i]; }
      }
    }
  }
}
