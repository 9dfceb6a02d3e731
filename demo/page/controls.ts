import { element, find, setText } from '../shared/dom.ts';
import { DIGITS, METHODS, RANGES, type Settings, SPEEDS, within } from './settings.ts';
import { NAMES } from './words.ts';

/** A control shows the settings, and tells of another choice. */
type Show = (settings: Settings) => void;
type Choose = (change: Partial<Settings>) => void;

/** All that can be chosen; gives what shows other settings. */
export function controls(choose: Choose): Show {
  const shows = [
    toggles(
      'digits',
      DIGITS,
      String,
      (settings) => settings.digits,
      (digits) => choose({ digits }),
    ),
    toggles(
      'methods',
      METHODS,
      (method) => NAMES[method],
      (settings) => settings.methods,
      (methods) => choose({ methods }),
    ),
    slider('temperature', choose, Math.log10, (x) => 10 ** x),
    slider('tradeOff', choose),
    field('updateSteps', choose),
    field('seed', choose),
    speeds(choose),
  ];
  return (settings) => {
    for (const show of shows) show(settings);
  };
}

/** Buttons of which some are pressed, one at least. */
function toggles<T>(
  id: string,
  all: readonly T[],
  name: (item: T) => string,
  chosen: (settings: Settings) => readonly T[],
  choose: (items: readonly T[]) => void,
): Show {
  let pressed: readonly T[] = [];
  const buttons = all.map((item) => {
    const button = element('button', { type: 'button', 'data-item': String(item) }, name(item));
    button.addEventListener('click', () => {
      const next = all.filter((other) => (other === item ? !pressed.includes(item) : pressed.includes(other)));
      if (next.length > 0) choose(next);
    });
    return button;
  });
  find(id).replaceChildren(...buttons);
  return (settings) => {
    pressed = chosen(settings);
    for (const [i, button] of buttons.entries()) {
      const on = pressed.includes(all[i]!);
      button.setAttribute('aria-pressed', String(on));
      // The last one stays.
      button.setAttribute('aria-disabled', String(on && pressed.length === 1));
    }
  };
}

// A choice by sliding is made when the slide comes to rest.
const REST_MS = 200;

/** A slider with its value beside it; `to` and `from` give it another scale. */
function slider(
  name: 'temperature' | 'tradeOff',
  choose: Choose,
  to: (value: number) => number = (x) => x,
  from: (place: number) => number = (x) => x,
): Show {
  const input = find<HTMLInputElement>(name);
  const output = find(`${name}-value`);
  const { least, most } = RANGES[name];
  input.min = String(to(least));
  input.max = String(to(most));
  let resting: number | undefined;
  let shown: number | undefined;
  const value = () => Number(from(Number(input.value)).toPrecision(2));
  input.addEventListener('input', () => {
    setText(output, String(value()));
    clearTimeout(resting);
    resting = window.setTimeout(() => choose({ [name]: value() }), REST_MS);
  });
  return (settings) => {
    // The story changes many times a second: a slide that is not over yet has to outlive that.
    if (settings[name] === shown) return;
    shown = settings[name];
    input.value = String(to(settings[name]));
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
    choose({ [name]: within(name, input.value) });
  });
  return (settings) => {
    // What is being typed outlives changes of the story.
    if (settings[name] === shown) return;
    shown = settings[name];
    input.value = String(shown);
  };
}

function speeds(choose: Choose): Show {
  const select = find<HTMLSelectElement>('speed');
  const text = (speed: number) => (Number.isFinite(speed) ? `${speed} a second` : 'as fast as it goes');
  select.replaceChildren(...SPEEDS.map((speed) => element('option', { value: speed }, text(speed))));
  select.addEventListener('change', () => choose({ speed: Number(select.value) }));
  return ({ speed }) => {
    select.value = String(speed);
  };
}
