/**
 * Keeps the descriptions that templates make free of what Preact writes into them. Preact uses a vnode itself the first time it is drawn and puts its
 * parent, its children and its component there; a copy when it comes again. Templates keep vnodes for good (htm those of its constant parts, the
 * `children` of an element those of its last render), and with them went the whole tree they were first drawn in: its props, and the trace with all its
 * tensors. A vnode of depth 1 counts as used already, so that Preact always works on a copy; @preact/signals does the same with signals in templates.
 */
import { options } from "preact";

const before = options.vnode;

/** @param {any} vnode `__b` is its depth; what is drawn again has one, which must stay */
options.vnode = (vnode) => {
  vnode.__b ||= 1;
  before?.(vnode);
};
