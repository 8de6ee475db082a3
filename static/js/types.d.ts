/** What travels over the wire and what views are given. The wire is described in docs/architecture.md. */

export type Accent = "value" | "weight" | "grad";
export type Theme = "light" | "dark";
export type Layout = "wide" | "medium" | "narrow";
export type Phase = "forward" | "loss" | "backward" | "update";
export type Unit = "step" | "row" | "channel" | "layer";
export type ScaleMode = "map" | "layer" | "network";
export type Lang = "en" | "zh-Hans" | "zh-Hant";
export type Numbers = Float32Array | Float64Array;
export type Translate = (key: string, args?: Record<string, string | number>) => string;

/** One node as a scenario document has it: `name`, `kind` and that kind's own fields. */
export interface NodeSpec {
  name: string;
  kind: string;
  inputs?: string[];
  [field: string]: unknown;
}
export interface Edit { tensor: string; cell: number[]; value: number }
export interface InputSpec {
  image?: string;
  shape?: number[];
  fit?: "contain" | "cover" | "stretch";
  values?: unknown;
  mean?: number[];
  std?: number[];
}
export interface ScenarioDoc {
  version?: number;
  input?: InputSpec;
  network: NodeSpec[];
  target?: unknown;
  loss?: { kind: string; [field: string]: unknown };
  penalty?: { l1?: number; l2?: number };
  optimizer?: { kind: string; schedule?: { kind: string; [field: string]: unknown }; [field: string]: unknown };
  mode?: string;
  params?: { seed?: number; scheme?: string | { kind: string }; values?: Record<string, unknown>; edits?: Edit[] };
  [field: string]: unknown;
}

export interface Boot {
  version: string;
  static: string;
  lang_default: Lang;
  presets: { id: string; scenario: ScenarioDoc }[];
  samples: { id: string; name: string; width: number; height: number }[];
  kernels: Record<string, Record<string, number[][]>>;
  limits: { max_image_bytes?: number };
}

export interface Role { name: string; tensor: string; accent: Accent }
/** A contiguous run of steps [start, stop) that writes one tensor; the same as `Block.header()` of the engine. */
export interface Block {
  node: string;
  kind: string;
  phase: Phase;
  writes: string;
  shape: number[];
  start: number;
  stop: number;
  loops: [string, number][];
  roles: Role[];
  addends: Role[];
  combine: "sum" | "max" | "map";
  term_shape: [string, number][];
  formula: string;
  code: string[];
  active: number[];
  slots: Record<string, { of: Record<string, number>; plus: number }>;
  extra: string[];
  readings: string[];
  /** what differs in the other readings of the same cells */
  others?: Record<string, Partial<Block>>;
  /** names of the factors of each term */
  factors?: string[];
  partial?: [string, number];
}
export interface NodeInfo {
  name: string;
  kind: string;
  inputs: string[];
  config: Record<string, any>;
  out: string;
  shape: number[];
  params: { name: string; shape: number[] }[];
  n_params: number;
  size_formula: string | null;
}
export interface TensorInfo {
  name: string;
  shape: number[];
  dtype: string;
  min: number | null;
  max: number | null;
  first_bad: number[] | null;
  source: "step" | "input" | "param" | "target" | "buffer" | "state" | "drawn";
  role?: "value" | "weight" | "grad" | "state";
}
/** How a picture became the input; box and placed are [x0, y0, x1, y1]. */
export interface InputInfo {
  image: string;
  width: number;
  height: number;
  fit: string;
  box: number[];
  placed: number[];
  channels: number;
  mean: number[];
  std: number[];
  grey: boolean;
}
/** The answer to `open`. */
export interface Opened {
  trace: string;
  scenario: ScenarioDoc;
  steps: number;
  nodes: NodeInfo[];
  blocks: Block[];
  tensors: TensorInfo[];
  input: InputInfo | null;
  limits: Record<string, number>;
  /** with a target: the loss, its parts by tensor, Euclidean norms of gradients, and the change of the loss to first order */
  target?: unknown;
  loss?: number | null;
  loss_parts?: Record<string, number | null>;
  norms?: Record<string, number | null>;
  predicted_change?: number | null;
}
export interface InitParam {
  tensor: string;
  shape: number[];
  scheme: string;
  seed: number;
  fan_in: number | null;
  fan_out: number | null;
  gain: number | null;
  std: number | null;
  bound: number | null;
  formula: string;
  mean: number;
  sd: number;
  histogram: { edges: number[]; counts: number[] };
  edited: number;
}

/** A column of a binary frame: flat data and its shape. */
export interface Column { shape: number[]; data: Numbers | Int32Array }
export interface Frame { meta: Record<string, string>; columns: Record<string, Column> }

/** A tensor, or the thumbnail of one, in the browser. */
export interface TensorView {
  name: string;
  shape: number[];
  data: Numbers;
  /** pooled and coarse, for colours only */
  thumb: boolean;
  min: number | null;
  max: number | null;
  /** of each whole map of a thumbnail */
  ranges?: { min: number; max: number }[];
  /** the maps [n · C + c] that are here, when not all are */
  planes?: Set<number>;
}

export interface Operand { index: Int32Array; value: Numbers }
/** The step at the cursor, cut out of a window. */
export interface StepView {
  index: number;
  block: Block;
  cell: number[];
  result: number;
  terms: Numbers;
  roles: Record<string, Operand>;
  addends: Record<string, Operand>;
  extra: Record<string, number>;
  /** factors of each term, by name */
  factors: Record<string, Numbers>;
  combined: number;
  residual: number;
  partial: Numbers | null;
  rest: number;
}
/** A place on the screen that means a cell, and perhaps one term of the step. */
export interface Hover { tensor: string; cell: number | null; term?: number }
/** What the stage shows: a map, or a part of what a later phase writes for that node; `forward` when left out. */
export interface Focus { node: string; channel: number; phase?: Phase }
export interface Notice { level: "info" | "error"; text: string; field?: string; sticky?: boolean }

/** What a view of the stage is given. */
export interface StageProps {
  opened: Opened;
  node: NodeInfo;
  block: Block;
  step: StepView;
  cell: number[];
  tensor(name: string): TensorView | null;
  absmax(name: string, channel: number): number;
  /** the same step in another reading, null while it is on its way */
  other(reading: string): StepView | null;
  /** w, g and the optimiser's states of a weight over the iterations of a loop; null outside one */
  history(tensor: string, cell: number[]): Promise<Record<string, (number | null)[]> | null>;
  /** how many iterations the loop has made */
  iterations: number;
  /** a formula, set as mathematics */
  formula(tex: string): any;
  hover: Hover | null;
  setHover(hover: Hover | null): void;
  pin(place: Hover): void;
  jump(tensor: string, cell: number): void;
  edit: ((tensor: string, cell: number[], value: number) => void) | null;
  t: Translate;
  theme: Theme;
  layout: Layout;
  size: { w: number; h: number };
  written: number;
  scaleMode: ScaleMode;
  channel: number;
  sample: number;
}
