// conv2d.directWeightGrad: the gradients of weight and bias of a convolution with stride 1, for subgroups of 8 lanes
//
//   z[o, cr, s] = sum_npq dy[n,o,p,q] x[n,c,p+r-padH,q+s-padW],  and one more row cr = CR for the bias: z[o, CR, s] = sum_npq dy[n,o,p,q]
//
// shapes    x: [images, c, h, w], dy: [images, o, p, q], q a multiple of 4; z: [m = o, n = 8 (CR + 1)], of whose 8 columns per row cr
//           only S are used. Part wid.z sums over kPerPart images; its sums are stored below those of the parts before it
// parallel  one subgroup per tile of ROWS o and 8 rows cr of the kernel, one row per lane. A lane loads a piece of a row of x
//           once for its S taps, and 4 numbers of dy for each of ROWS / 8 o. It reads the other lanes' dy by shuffles with a
//           constant lane, which are broadcasts. Longer pieces would need fewer loads, but were slower
// numerics  4 products are summed before they are added to the running sum; the order is fixed

enable subgroups;

override ROWS: u32 = 32; // 32 or 16
override S: u32 = 5; // columns of the kernel, 2 to 7
override PADDED = false; // whether windows reach beyond the image

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;

alias Piece = array<f32, 10>;

// [32 s + row] is the sum of column s of the kernel for the tile's o number `row`. It stays in memory, as in conv2d.direct.
var<private> sum: array<f32, 224>;

fn addRows(first: u32, piece: Piece, dys: vec4f) {
  for (var lane = 0u; lane < 8u; lane++) {
    var products = array<f32, 7>();
    for (var j = 0u; j < 4u; j++) {
      let dyHere = subgroupShuffle(dys[j], lane);
      for (var s = 0u; s < 7u; s++) {
        if (s < S) { products[s] += dyHere * piece[j + s]; }
      }
    }
    for (var s = 0u; s < 7u; s++) {
      if (s < S) { sum[32u * s + first + lane] += products[s]; }
    }
  }
}

@compute @workgroup_size(8)
fn weightGrad(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = wid.y * groups.x + wid.x;
  let down = (params.m + ROWS - 1u) / ROWS;
  let firstRow = ROWS * (tile % down);
  let kernelRow = 8u * (tile / down) + lane;
  let ofBias = kernelRow == params.c * params.r;
  let top = i32(kernelRow % params.r) - i32(params.padH);
  let corner = (i32(kernelRow / params.r * params.h) + top) * i32(params.w) - i32(params.padW);

  let end = min((wid.z + 1u) * params.kPerPart, params.images);
  for (var image = wid.z * params.kPerPart; image < end; image++) {
    for (var p = 0u; p < params.p; p++) {
      for (var q = 0u; q < params.q; q += 4u) {
        let at = corner + i32((image * params.c * params.h + p) * params.w + q);
        var piece = Piece();
        for (var i = 0u; i < 10u; i++) {
          if (i < S + 3u) {
            var pixel = x[at + i32(i)];
            if (PADDED) {
              let inside = u32(top + i32(p)) < params.h && u32(i32(q + i) - i32(params.padW)) < params.w;
              pixel = select(0.0, pixel, inside);
            }
            piece[i] = select(pixel, 1.0, ofBias);
          }
        }
        let fours = params.p * params.q / 4u;
        let dyAt = (image * params.o + firstRow + lane) * fours + (p * params.q + q) / 4u;
        addRows(0u, piece, dy[dyAt]);
        addRows(8u, piece, dy[dyAt + 8u * fours]);
        if (ROWS > 16u) {
          addRows(16u, piece, dy[dyAt + 16u * fours]);
          addRows(24u, piece, dy[dyAt + 24u * fours]);
        }
      }
    }
  }
  if (8u * kernelRow >= params.n) { return; }
  let rows = min(ROWS, params.m - firstRow);
  for (var row = 0u; row < rows; row++) {
    let to = wid.z * params.m + firstRow + row;
    epilogue(to, 8u * kernelRow, vec4f(sum[row], sum[32u + row], sum[64u + row], sum[96u + row]));
    if (S > 4u) { epilogue(to, 8u * kernelRow + 4u, vec4f(sum[128u + row], sum[160u + row], sum[192u + row], 0.0)); }
  }
}
