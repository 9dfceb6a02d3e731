// Emoji drawn by two vendors as 32x32 RGB images: IDX files [n, 3, 32, 32] of unsigned bytes, and labels [n].
//
//   cd tools/emoji && npm install && node render.mjs ../../src/data/emoji
//   node render.mjs [OUT_DIR] [key=value ...]
//
// Pure JavaScript (own PNG reader and resampler) and seeded throughout, so the same packages give the same bytes on any machine.
// A glyph family is one emoji with its skin tones, its man/woman/person and its left/right-facing forms, and every glyph that
// either vendor draws with the same pixels (the flags of France, Clipperton and Saint Martin). A family is in train or in test, never both,
// and is split the same way for both vendors.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync, inflateSync } from 'node:zlib';

// subcategories of emoji.json that make a class, and short names left out of it; the first five are the target's
const CLASSES = {
  face: { sub: /^face-/, not: /^(hankey|space_invader|skull_and_crossbones|ghost)$/ },
  hand: { sub: /^(hands|hand-fingers|hand-single|hand-prop)/, not: /^(selfie|middle_finger)$/ },
  animal: { sub: /^animal-/, not: /^(feet|feather|wing|spider_web|microbe|pig_nose|coral|shell|phoenix)$/ },
  plant: { sub: /^(plant-|food-fruit|food-vegetable)/, not: /nest/ },
  vehicle: {
    sub: /^transport-(ground|air|water)$/,
    not: /^(busstop|motorway|railway_track|oil_drum|fuelpump|wheel|rotating_light|traffic_light|vertical_traffic_light|octagonal_sign|construction|parachute|seat|anchor|ring_buoy|satellite)$/,
  },
  person: { sub: /^(person|person-gesture|person-role)$/ },
  activity: { sub: /^(person-sport|person-activity)$/, not: /massage|haircut|wrestl|bunny|steamy|suit_lev|^dancers$/ },
  place: {
    sub: /^place-(building|other|geographic|religious)$/,
    not: /^(building_construction|bricks|rock|wood|hotsprings|carousel_horse|playground_slide|barber)$/,
  },
  clothing: { sub: /^clothing$/, not: /^(hair_pick|prayer_beads|lipstick|ring|gem|folding_hand_fan)$/ },
  sky: { sub: /^sky & weather$/, not: /^(thermometer|closed_umbrella|umbrella|umbrella_on_ground|fire)$/ },
  flag: { sub: /^(country-flag|subdivision-flag)$/ },
  sign: { sub: /^(arrow|av-symbol|religion|zodiac|keycap|transport-sign|alphanum)$/ },
};
const VENDORS = {
  twemoji: {
    folder: 'emoji-datasource-twitter/img/twitter/64',
    role: 'source',
    licence:
      'CC-BY-4.0: Twemoji (fork 16.0.1), copyright Twitter, Inc and other contributors; changed here: scaled, jittered, put on white',
  },
  noto: {
    folder: 'emoji-datasource-google/img/google/64',
    role: 'target',
    licence: 'Apache-2.0: Noto Emoji 2.048, copyright Google LLC; changed here: scaled, jittered, put on a tint',
  },
};
const ARGS = process.argv.slice(2),
  OUT = ARGS.find((a) => !a.includes('=')) ?? 'out';
// jitter: rotation in degrees, scale and shear as shares, shift in pixels, each uniform in [-v, v]
const H = {
  size: 32,
  seed: 20,
  testShare: 0.3,
  rotate: 12,
  scale: 0.12,
  shear: 0.08,
  shift: 2,
  sourceClasses: 12,
  targetClasses: 5,
  sourceTrain: 150,
  sourceTest: 30,
  targetTrain: 200,
  targetTest: 120,
  sourceBackground: 'white',
  targetBackground: 'tint',
};
for (const a of ARGS) {
  const [k, v] = a.split('=');
  if (v !== undefined) H[k] = typeof H[k] === 'number' ? +v : v;
}
const NAMES = Object.keys(CLASSES);
const require = createRequire(join(process.cwd(), 'x'));
const folder = (p) => join(dirname(require.resolve(`${p.split('/')[0]}/package.json`)), ...p.split('/').slice(1));

const rng = (text) => {
  // mulberry32, seeded by the text, so that any one image can be drawn again alone
  let a = createHash('sha256').update(text).digest().readUInt32LE(0);
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};
const shuffled = (list, r) => {
  const a = [...list];
  for (let i = a.length - 1; i > 0; i--) {
    const j = Math.floor(r() * (i + 1));
    [a[i], a[j]] = [a[j], a[i]];
  }
  return a;
};

function readPng(file) {
  // -> premultiplied RGBA, floats [w, w, 4]
  const b = readFileSync(file);
  let at = 8,
    w,
    h,
    depth,
    type,
    palette,
    trns;
  const idat = [];
  while (at < b.length) {
    const n = b.readUInt32BE(at),
      kind = b.toString('latin1', at + 4, at + 8),
      d = b.subarray(at + 8, at + 8 + n);
    at += 12 + n;
    if (kind === 'IHDR') {
      w = d.readUInt32BE(0);
      h = d.readUInt32BE(4);
      depth = d[8];
      type = d[9];
      if (d[12]) throw new Error(`${file}: interlaced PNG, expected non-interlaced`);
    }
    if (kind === 'PLTE') palette = d;
    if (kind === 'tRNS') trns = d;
    if (kind === 'IDAT') idat.push(d);
  }
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[type],
    bits = channels * depth,
    bpp = Math.max(1, bits >> 3),
    row = Math.ceil((w * bits) / 8);
  const raw = inflateSync(Buffer.concat(idat)),
    px = Buffer.alloc(row * h),
    out = new Float32Array(w * h * 4);
  for (let y = 0; y < h; y++) {
    const f = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const l = x >= bpp ? px[y * row + x - bpp] : 0,
        u = y ? px[(y - 1) * row + x] : 0,
        c = x >= bpp && y ? px[(y - 1) * row + x - bpp] : 0,
        p = l + u - c;
      const pl = Math.abs(p - l),
        pu = Math.abs(p - u),
        pc = Math.abs(p - c),
        paeth = pl <= pu && pl <= pc ? l : pu <= pc ? u : c;
      px[y * row + x] = raw[y * (row + 1) + 1 + x] + [0, l, u, (l + u) >> 1, paeth][f];
    }
    for (let x = 0; x < w; x++) {
      const v = (k) =>
        depth === 8
          ? px[y * row + x * channels + k]
          : (px[y * row + ((x * depth) >> 3)] >> (8 - depth - ((x * depth) & 7))) & ((1 << depth) - 1);
      let r,
        g,
        bl,
        a = 255;
      if (type === 3) {
        const i = v(0);
        r = palette[3 * i];
        g = palette[3 * i + 1];
        bl = palette[3 * i + 2];
        a = trns && i < trns.length ? trns[i] : 255;
      } else if (channels < 3) {
        r = g = bl = v(0);
        if (channels === 2) a = v(1);
      } else {
        r = v(0);
        g = v(1);
        bl = v(2);
        if (channels === 4) a = v(3);
      }
      const o = (y * w + x) * 4;
      out[o] = (r * a) / 255;
      out[o + 1] = (g * a) / 255;
      out[o + 2] = (bl * a) / 255;
      out[o + 3] = a;
    }
  }
  if (w !== 64 || h !== 64) throw new Error(`${file}: ${w}x${h}, expected 64x64`);
  return out;
}

// y[p] = mean over 3x3 subsamples of bilinear x at A^-1 p, then composited on the background; [3, size, size] bytes into out at `at`
function draw(x, r, bg, out, at) {
  const S = H.size,
    K = 3,
    u = () => 2 * r() - 1,
    a = (u() * H.rotate * Math.PI) / 180,
    sx = 1 + u() * H.scale,
    sy = 1 + u() * H.scale,
    sh = u() * H.shear,
    tx = u() * H.shift,
    ty = u() * H.shift;
  const c = Math.cos(a),
    s = Math.sin(a),
    k = 64 / S,
    m = [(c / sx) * k, ((s + sh) / sx) * k, (-s / sy) * k, (c / sy) * k],
    acc = [0, 0, 0, 0];
  for (let i = 0; i < S; i++)
    for (let j = 0; j < S; j++) {
      acc.fill(0);
      for (let n = 0; n < K * K; n++) {
        const dx = j + ((n % K) + 0.5) / K - S / 2 - tx,
          dy = i + (Math.floor(n / K) + 0.5) / K - S / 2 - ty;
        const px = m[0] * dx + m[1] * dy + 31.5,
          py = m[2] * dx + m[3] * dy + 31.5,
          x0 = Math.floor(px),
          y0 = Math.floor(py),
          fx = px - x0,
          fy = py - y0;
        for (let q = 0; q < 4; q++) {
          const xx = x0 + (q & 1),
            yy = y0 + (q >> 1);
          if (xx < 0 || yy < 0 || xx > 63 || yy > 63) continue;
          const w = (q & 1 ? fx : 1 - fx) * (q >> 1 ? fy : 1 - fy),
            o = (yy * 64 + xx) * 4;
          for (let z = 0; z < 4; z++) acc[z] += w * x[o + z];
        }
      }
      for (let z = 0; z < 3; z++)
        out[at + z * S * S + i * S + j] = Math.round(
          Math.min(255, acc[z] / (K * K) + bg[z] * (1 - acc[3] / (K * K) / 255)),
        );
    }
}
const hsl = (h, s, l) =>
  [0, 8, 4].map((n) => {
    const k = (n + h * 12) % 12;
    return 255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  });
const BACKGROUND = {
  white: () => [255, 255, 255],
  tint: (r) => hsl(r(), 0.4 + 0.5 * r(), 0.84 + 0.12 * r()),
  pastel: (r) => hsl(r(), 0.3 + 0.5 * r(), 0.72 + 0.22 * r()),
};

// families: union of glyphs that share a base name, or pixels in either vendor's drawing
const emoji = require('emoji-datasource-twitter/emoji.json')
  .filter((e) => e.has_img_twitter && e.has_img_google)
  .sort((a, b) => a.sort_order - b.sort_order);
const folders = Object.fromEntries(Object.entries(VENDORS).map(([v, p]) => [v, folder(p.folder)])),
  cache = new Map();
const glyph = (v, image) => {
  const k = `${v}/${image}`;
  if (!cache.has(k)) cache.set(k, readPng(join(folders[v], image)));
  return cache.get(k);
};
const base = (u) =>
  u
    .replace(/^(1F468|1F469|1F9D1)(?=-200D)/, 'P')
    .replace(/-200D-(2640|2642|27A1)-FE0F/g, '')
    .replace(/-FE0F/g, '');
const families = {};
for (const name of NAMES) {
  const { sub, not } = CLASSES[name],
    mine = emoji.filter((e) => sub.test(e.subcategory) && !(not && e.short_names.some((n) => not.test(n)))),
    parent = new Map();
  const find = (k) => {
    while (parent.get(k) !== k) k = parent.get(k);
    return k;
  };
  const seen = new Map(),
    join2 = (e, key) => {
      if (seen.has(key)) parent.set(find(e.unified), find(seen.get(key)));
      else seen.set(key, e.unified);
    };
  for (const e of mine) parent.set(e.unified, e.unified);
  for (const e of mine) {
    join2(e, `b${base(e.unified)}`);
    for (const v of Object.keys(VENDORS))
      join2(
        e,
        v +
          createHash('sha256')
            .update(Buffer.from(glyph(v, e.image).buffer))
            .digest('hex'),
      );
  }
  const fam = new Map();
  for (const e of mine) {
    const k = find(e.unified);
    if (!fam.has(k)) fam.set(k, []);
    fam.get(k).push(
      e.image,
      ...Object.values(e.skin_variations ?? {})
        .filter((s) => s.has_img_twitter && s.has_img_google && !/1F3F[B-F].*1F3F[B-F]/.test(s.unified))
        .map((s) => s.image),
    );
  }
  const all = shuffled([...fam.values()], rng(`split ${H.seed} ${name}`)),
    cut = Math.round(all.length * H.testShare);
  families[name] = { test: all.slice(0, cut), train: all.slice(cut), emoji: mine.length };
}

mkdirSync(OUT, { recursive: true });
const files = [],
  hex = (b) => createHash('sha256').update(b).digest('hex'),
  version = (p) => require(`${p}/package.json`).version;
function write(file, bytes, shape, more) {
  const h = Buffer.alloc(4 + 4 * shape.length);
  h[2] = 8;
  h[3] = shape.length;
  for (const [i, n] of shape.entries()) h.writeUInt32BE(n, 4 + 4 * i);
  const raw = Buffer.concat([h, bytes]),
    gz = gzipSync(raw, { level: 9 });
  gz[9] = 255;
  writeFileSync(join(OUT, file), gz); // byte 9: the operating system, kept out of the checksum
  files.push({ file, bytes: gz.length, sha256: hex(gz), sha256_raw: hex(raw), shape, ...more });
}
for (const [v, { folder: from, role, licence }] of Object.entries(VENDORS))
  for (const part of ['train', 'test']) {
    const per = H[role + part[0].toUpperCase() + part.slice(1)],
      names = NAMES.slice(0, H[`${role}Classes`]),
      S = H.size,
      n = per * names.length,
      x = Buffer.alloc(n * 3 * S * S),
      y = Buffer.alloc(n);
    let at = 0;
    for (let c = 0; c < names.length; c++) {
      const order = rng(`order ${H.seed} ${v} ${part} ${names[c]}`);
      let queue = [];
      for (let i = 0; i < per; i++, at++) {
        // every family once, in a new order, before any comes again
        if (!queue.length) queue = shuffled(families[names[c]][part], order);
        const r = rng(`image ${H.seed} ${v} ${part} ${names[c]} ${i}`),
          f = queue.pop(),
          image = f[Math.floor(r() * f.length)];
        draw(glyph(v, image), r, BACKGROUND[H[`${role}Background`]](r), x, at * 3 * S * S);
        y[at] = c;
      }
    }
    const sum = [0, 0, 0],
      sq = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const z = Math.floor(i / (S * S)) % 3,
        q = x[i] / 255;
      sum[z] += q;
      sq[z] += q * q;
    }
    const mean = sum.map((q) => +(q / n / S / S).toFixed(5)),
      std = sq.map((q, z) => +Math.sqrt(q / n / S / S - (sum[z] / n / S / S) ** 2).toFixed(5));
    const more = {
      classes: names,
      per_class: names.map(() => per),
      families_per_class: names.map((k) => families[k][part].length),
      glyph_images_per_class: names.map((k) => families[k][part].flat().length),
      role,
      source: `npm ${from.split('/')[0]}@${version(from.split('/')[0])}, ${from.split('/').slice(1).join('/')}`,
      licence,
      note: `${S}x${S} RGB, layout NCHW, on ${H[`${role}Background`] === 'white' ? 'white' : 'a plain random light tint'}, affine jitter, sorted by class`,
    };
    write(`${v}-${part}-images-idx4-ubyte.gz`, x, [n, 3, S, S], { ...more, mean, std });
    write(`${v}-${part}-labels-idx1-ubyte.gz`, y, [n], more);
  }
const split = Object.fromEntries(
  Object.entries(families).map(([k, f]) => [k, { emoji: f.emoji, test: f.test.map((a) => a[0].replace('.png', '')) }]),
);
writeFileSync(
  join(OUT, 'manifest.json'),
  `${JSON.stringify(
    {
      script: 'render.mjs',
      attribution:
        'Source images: Twemoji, copyright Twitter, Inc and other contributors, CC-BY 4.0. Target images: Noto Emoji, copyright Google LLC, Apache-2.0. Names and categories: emoji-datasource, copyright Cal Henderson, MIT.',
      settings: H,
      classes: NAMES,
      shared: NAMES.slice(0, H.targetClasses),
      files,
      split,
    },
    null,
    1,
  )}\n`,
);
writeFileSync(
  join(OUT, 'SHA256SUMS'),
  files
    .map((f) => `${f.sha256}  ${f.file}\n`)
    .sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
    .join(''),
);
for (const [k, f] of Object.entries(families))
  console.error(
    k.padEnd(10),
    'emoji',
    f.emoji,
    'families train',
    f.train.length,
    'test',
    f.test.length,
    'images',
    f.train.flat().length,
    f.test.flat().length,
  );
console.error(
  files.map((f) => `${f.file} ${f.bytes}`).join('\n'),
  files.reduce((a, f) => a + f.bytes, 0),
);
