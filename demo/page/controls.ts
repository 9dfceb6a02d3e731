import { element, find, setText } from '../shared/dom.ts';
import { clamp, DIGITS, PAGE_METHODS, RANGES, type Settings, SPEEDS } from './settings.ts';
import type { View } from './state.ts';
import { NAMES, SPEED } from './words.ts';

/** Shows the settings in one control. */
type Show = (settings: Settings) => void;
type Choose = (change: Partial<Settings>) => void;

/** Connects all controls to `choose`. Returns the view that shows the settings in them. */
export function controls(choose: Choose): View {
  const digits = toggles('digits', { items: DIGITS, name: String, choose: (chosen) => choose({ digits: chosen }) });
  const methods = toggles('methods', {
    items: PAGE_METHODS,
    name: (method) => NAMES[method],
    choose: (chosen) => choose({ methods: chosen }),
  });
  const shows: Show[] = [
    (settings) => digits(settings.digits),
    (settings) => methods(settings.methods),
    slider('temperature', choose, { to: Math.log10, from: (place) => 10 ** place }),
    slider('tradeOff', choose),
    field('updateSteps', choose),
    field('seed', choose),
    speeds(choose),
  ];
  return ({ settings }) => {
    for (const show of shows) show(settings);
  };
}

/** Makes a button per item, at least one of which is pressed. Returns a function that shows which are. */
function toggles<T>(
  id: string,
  { items, name, choose }: { items: readonly T[]; name(item: T): string; choose(chosen: readonly T[]): void },
): (chosen: readonly T[]) => void {
  let pressed: readonly T[] = [];
  const buttons = items.map((item) => {
    const button = element('button', { type: 'button', 'data-item': String(item) }, name(item));
    button.addEventListener('click', () => {
      const next = items.filter((other) => pressed.includes(other) !== (other === item));
      if (next.length > 0) choose(next);
    });
    return button;
  });
  find(id).replaceChildren(...buttons);
  return (chosen) => {
    pressed = chosen;
    for (const [i, button] of buttons.entries()) {
      const on = pressed.includes(items[i]!);
      button.setAttribute('aria-pressed', String(on));
      // The last pressed button cannot be released.
      button.setAttribute('aria-disabled', String(on && pressed.length === 1));
    }
  };
}

// A slider takes effect once it has rested for this time.
const REST_MS = 200;

/** A slider that shows its value; `to` and `from` convert between the value and its place on the slider. */
function slider(
  name: 'temperature' | 'tradeOff',
  choose: Choose,
  scale = { to: (value: number) => value, from: (place: number) => place },
): Show {
  const input = find<HTMLInputElement>(name);
  const output = find(`${name}-value`);
  const { least, most } = RANGES[name];
  input.min = String(scale.to(least));
  input.max = String(scale.to(most));
  let resting: number | undefined;
  let shown: number | undefined;
  const value = () => Number(scale.from(Number(input.value)).toPrecision(2));
  input.addEventListener('input', () => {
    setText(output, String(value()));
    clearTimeout(resting);
    resting = window.setTimeout(() => choose({ [name]: value() }), REST_MS);
  });
  return (settings) => {
    // The state changes many times per second. That must not reset a slider that the visitor is moving.
    if (settings[name] === shown) return;
    shown = settings[name];
    input.value = String(scale.to(settings[name]));
    input.setAttribute('aria-valuetext', String(settings[name]));
    setText(output, String(settings[name]));
  };
}

/** A field for a whole number. */
function field(name: 'updateSteps' | 'seed', choose: Choose): Show {
  const input = find<HTMLInputElement>(name);
  const { least, most } = RANGES[name];
  input.min = String(least);
  input.max = String(most);
  let shown: number | undefined;
  input.addEventListener('change', () => {
    shown = undefined;
    choose({ [name]: clamp(name, input.value) });
  });
  return (settings) => {
    // Changes of the state must not reset a number that the visitor is typing.
    if (settings[name] === shown) return;
    shown = settings[name];
    input.value = String(shown);
  };
}

function speeds(choose: Choose): Show {
  const select = find<HTMLSelectElement>('speed');
  const text = (speed: number) => (Number.isFinite(speed) ? SPEED.limited(speed) : SPEED.unlimited);
  select.replaceChildren(...SPEEDS.map((speed) => element('option', { value: speed }, text(speed))));
  select.addEventListener('change', () => choose({ speed: Number(select.value) }));
  return ({ speed }) => {
    select.value = String(speed);
  };
}
