// The page's controls, from classes and methods to the temperature. Each shows a setting and changes it.
import { element, find, setText } from '../shared/dom.ts';
import {
  CHANNELS,
  CLASS_NAMES,
  clamp,
  PAGE_METHODS,
  RANGES,
  RESIZES,
  type Settings,
  SIZES,
  SPEEDS,
  TASK_NAMES,
} from './settings.ts';
import type { View } from './state.ts';
import { FORM, NAMES, SPEED, TASKS } from './words.ts';

/** Shows the settings in one control. */
type Show = (settings: Settings) => void;
type Choose = (change: Partial<Settings>) => void;

/** Connects all controls to `choose`. Returns the view that shows the settings in them. */
export function controls(choose: Choose): View {
  const tasks = toggles('tasks', {
    items: TASK_NAMES,
    name: (task) => TASKS[task].name,
    choose: ([task]) => choose({ task }),
    only: true,
  });
  const classes = (['digits', 'emoji'] as const).map((task) => {
    const names = CLASS_NAMES[task];
    return toggles(task, {
      items: [...names.keys()],
      name: (c) => names[c]!,
      choose: (chosen) => choose({ classes: chosen }),
    });
  });
  const methods = toggles('methods', {
    items: PAGE_METHODS,
    name: (method) => NAMES[method],
    choose: (chosen) => choose({ methods: chosen }),
  });
  const shows: Show[] = [
    (settings) => tasks([settings.task]),
    ...classes.map(
      (show): Show =>
        (settings) =>
          show(settings.classes),
    ),
    (settings) => methods(settings.methods),
    slider('temperature', choose, { to: Math.log10, from: (place) => 10 ** place }),
    slider('tradeOff', choose),
    field('updateSteps', choose),
    field('threshold', choose),
    field('pseudoFrom', choose),
    field('seed', choose),
    select('speed', SPEEDS, {
      name: (speed) => (Number.isFinite(speed) ? SPEED.limited(speed) : SPEED.unlimited),
      choose,
    }),
    select('size', SIZES, { name: FORM.size, choose }),
    select('resize', RESIZES, { name: (resize) => FORM.resize[resize], choose }),
    select('channels', CHANNELS, { name: (channels) => FORM.channels[channels], choose }),
  ];
  return ({ settings }) => {
    for (const show of shows) show(settings);
  };
}

/** Makes a button per item, at least one of which is pressed, and with `only` just one. Returns a function that shows which are. */
function toggles<T>(
  id: string,
  {
    items,
    name,
    choose,
    only = false,
  }: { items: readonly T[]; name(item: T): string; choose(chosen: readonly T[]): void; only?: boolean },
): (chosen: readonly T[]) => void {
  let pressed: readonly T[] = [];
  const buttons = items.map((item) => {
    const button = element('button', { type: 'button', 'data-item': String(item) }, name(item));
    button.addEventListener('click', () => {
      const next = only ? [item] : items.filter((other) => pressed.includes(other) !== (other === item));
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

/** A field for a number. */
function field(name: 'updateSteps' | 'threshold' | 'pseudoFrom' | 'seed', choose: Choose): Show {
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

/** A choice of one value from a list. */
function select<
  Name extends 'speed' | 'size' | 'resize' | 'channels',
  Value extends Settings[Name] & (string | number),
>(id: Name, values: readonly Value[], { name, choose }: { name(value: Value): string; choose: Choose }): Show {
  const host = find<HTMLSelectElement>(id);
  host.replaceChildren(...values.map((value) => element('option', { value }, name(value))));
  host.addEventListener('change', () => choose({ [id]: values[host.selectedIndex] }));
  return (settings) => {
    host.value = String(settings[id]);
  };
}
