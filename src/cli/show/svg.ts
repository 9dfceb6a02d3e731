// Figures as SVG files, which need no script. report.html shows the same texts as images.
import type { Analysis } from '../run/htmlReport.ts';

/** The colours of demo/shared/style/base.css. */
const COLOURS = '#d1495b #2e6fbb #2a9134 #8d4fb5 #c77700 #8a6d5a #0f9aa8 #b5428e #6b7a1c #6a6f7a'.split(' ');
// More groups than colours get colours around the circle, neighbours far apart.
const colourOf = (i: number): string => COLOURS[i] ?? `hsl(${Math.round(i * 137.5) % 360} 60% 45%)`;

const [WIDTH, HEIGHT] = [640, 480];
const MARGIN = 28;
const LEGEND = 150;
// A longer legend does not fit.
const MOST_NAMES = 24;

const escaped = (text: string): string =>
  text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`).replace(/\p{Cc}/gu, ' ');
const short = (name: string): string => (name.length > 18 ? `${name.slice(0, 17)}…` : name);

/** Maps values to pixels, from the least to the largest. */
function scaleOf(values: readonly number[], from: number, to: number): (value: number) => string {
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return (value) => (from + ((to - from) * (value - least)) / (most - least || 1)).toFixed(1);
}

function figure(title: string, names: readonly string[], content: string): string {
  const legend = names.slice(0, MOST_NAMES).map((name, i) => {
    const y = MARGIN + 12 + 17 * i;
    return `<rect x="${WIDTH - LEGEND + 8}" y="${y - 9}" width="10" height="10" fill="${colourOf(i)}"/><text x="${WIDTH - LEGEND + 24}" y="${y}">${escaped(short(name))}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${MARGIN}" y="18" font-size="14">${escaped(title)}</text>
${content}
${legend.join('\n')}
</svg>
`;
}

/** Points of two domains in the plane, in colours by group. */
export interface Scatter {
  title: string;
  x: readonly number[];
  y: readonly number[];
  /** The first points are of the source, drawn as dots; the others are of the target, drawn as crosses. */
  sources: number;
  /** The group of each point, an index into `names`; null leaves the point grey. */
  groups: readonly (number | null)[];
  names: readonly string[];
}

/** Draws points. */
export function scatterSvg({ title, x, y, sources, groups, names }: Scatter): string {
  const px = scaleOf(x, MARGIN, WIDTH - LEGEND - MARGIN);
  const py = scaleOf(y, HEIGHT - MARGIN, MARGIN + 8);
  const paths = [null, ...names.keys()].flatMap((group) => {
    const colour = group === null ? '#aaa' : colourOf(group);
    const drawn = (isSource: boolean, mark: string, style: string): string[] => {
      const places = groups.flatMap((own, i) => (own === group && i < sources === isSource ? [i] : []));
      if (places.length === 0) return [];
      const d = places.map((i) => `M${px(x[i]!)} ${py(y[i]!)}${mark}`).join('');
      return [`<path d="${d}" fill="none" stroke="${colour}" stroke-opacity=".6" ${style}/>`];
    };
    // A line without length and with round ends is a dot.
    return [
      ...drawn(true, 'h0', 'stroke-width="4.5" stroke-linecap="round"'),
      ...drawn(false, 'm-2-2l4 4m0-4l-4 4', 'stroke-width="1.1"'),
    ];
  });
  const note = `<text x="${MARGIN}" y="${HEIGHT - 8}" fill="#666">dots: source, crosses: target</text>`;
  return figure(title, names, [...paths, note].join('\n'));
}

/** Draws a line per name over the same x, with y from 0 to 1. */
export function linesSvg(
  title: string,
  x: readonly number[],
  lines: readonly { name: string; y: readonly number[] }[],
): string {
  const px = scaleOf(x, MARGIN, WIDTH - LEGEND - MARGIN);
  const py = scaleOf([0, 1], HEIGHT - MARGIN, MARGIN + 8);
  const drawn = lines.map(({ y }, i) => {
    const points = y.map((value, k) => `${px(x[k]!)},${py(value)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colourOf(i)}" stroke-width="1.5"/>`;
  });
  const axis = [0, 0.5, 1].map(
    (value) =>
      `<line x1="${MARGIN}" x2="${WIDTH - LEGEND}" y1="${py(value)}" y2="${py(value)}" stroke="#ddd"/><text x="4" y="${py(value)}" fill="#666">${value}</text>`,
  );
  const note = `<text x="${MARGIN}" y="${HEIGHT - 8}" fill="#666">iterations ${x[0]} to ${x.at(-1)}</text>`;
  return figure(
    title,
    lines.map(({ name }) => name),
    [...axis, ...drawn, note].join('\n'),
  );
}

/** Draws the features of an analysis three times: coloured by domain, by true class and by prediction. By file name. */
export function featureFigures({ points }: Pick<Analysis, 'points'>, names: readonly string[]): Record<string, string> {
  const { sources, x, y, label, prediction } = points;
  const draw = (title: string, groups: readonly (number | null)[], of = names): string =>
    scatterSvg({ title: `Features by ${title}`, x, y, sources, groups, names: of });
  return {
    'features-domain.svg': draw(
      'domain',
      x.map((_, i) => Number(i >= sources)),
      ['source', 'target'],
    ),
    'features-class.svg': draw('true class', label),
    'features-prediction.svg': draw('prediction', prediction),
  };
}
