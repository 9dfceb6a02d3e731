import { checkValue } from '../checks/options.ts';
import { aModule, Module } from './module.ts';

/** Holds modules in order, named 0, 1, 2, ... (`torch.nn.ModuleList`). An array in a public field does the same. */
export class ModuleList<M extends Module<unknown> = Module> extends Module<never> {
  readonly modules: readonly M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.modules = Array.from(modules);
    for (const [i, module] of this.modules.entries()) checkValue('ModuleList', `module ${i}`, module, aModule);
  }

  get length(): number {
    return this.modules.length;
  }

  [Symbol.iterator](): Iterator<M> {
    return this.modules[Symbol.iterator]();
  }

  override *namedChildren(): Generator<[name: string, child: Module<unknown>]> {
    for (const [name, child] of super.namedChildren()) yield [name.replace(/^modules\./, ''), child];
  }

  forward(): never {
    throw new TypeError('ModuleList: it has no forward; call its modules, or use a Sequential');
  }
}
