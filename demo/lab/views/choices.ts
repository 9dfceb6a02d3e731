import { digits } from '../../../bench/harness/report.ts';
import { peakGflops } from '../../../src/debug/peaks.ts';
import { nameOf } from '../../page/words.ts';
import { element, find, setText } from '../../shared/dom.ts';
import type { Desk } from '../app.ts';
import type { View } from '../state.ts';

/** Which op, of which shape, and which kernel for it; and what it runs on. */
export function choicesView(desk: Desk): View {
  const select = (id: 'op' | 'shape' | 'kernel') => {
    const made = find<HTMLSelectElement>(id);
    made.addEventListener('change', () => desk.choose({ [id]: made.value }));
    return made;
  };
  const [op, shape, kernel] = [select('op'), select('shape'), select('kernel')];
  const [ladder, adapter, software, peaks] = ['ladder', 'adapter', 'software', 'peaks'].map((id) => find(id));
  return ({ machine, subjects, address, peaks: most, work }) => {
    setText(adapter!, machine ? nameOf(machine.info) : machine === null ? 'no GPU at all' : 'a GPU to be found');
    software!.hidden = machine?.info.software !== true;
    setText(
      peaks!,
      most
        ? `that does at most ${digits(peakGflops(most))} GFLOP/s of multiply-adds and copies ${digits(most.copyGbps)} GB/s`
        : '',
    );
    if (!address) return;
    const shapes = subjects.filter((one) => one.op === address.op);
    const kernels = shapes.find((one) => one.shape === address.shape)!.kernels;
    const rungs = (one: (typeof shapes)[number]) => (one.kernels.length > 1 ? ', with its ladder' : '');
    offer(
      op,
      [...new Set(subjects.map((one) => one.op))].sort().map((name) => [name, name]),
      address.op,
    );
    offer(
      shape,
      shapes.map((one) => [one.shape, `${one.shape.replaceAll('x', ' × ')}${rungs(one)}`]),
      address.shape,
    );
    offer(
      kernel,
      kernels.map((name) => [name, name]),
      address.kernel,
    );
    ladder!.hidden = kernels.length < 2;
    op.disabled = shape.disabled = kernel.disabled = work === 'bench' || work === 'loading';
  };
}

function offer(select: HTMLSelectElement, options: readonly (readonly [string, string])[], chosen: string): void {
  const texts = options.map(([, text]) => text);
  if ([...select.options].map(({ text }) => text).join() !== texts.join())
    select.replaceChildren(...options.map(([value, text]) => element('option', { value }, text)));
  select.value = chosen;
}
