import { pair } from "../views/parts/geometry.js";

/**
 * One line about the geometry of the step: kernel, stride, padding, and the cell being written.
 * @param {import("../types.d.ts").StageProps} props
 */
export function geometryText({ node, block, cell, t, opened }) {
  if (node.kind === "input") {
    return t("stage.geometry_input", { shape: (opened.tensors.find((entry) => entry.name === "input")?.shape ?? []).slice(1).join(" × ") });
  }
  const out = t("stage.geometry_out", { cell: cell.slice(cell.length >= 4 ? 2 : 1).join(", ") });
  if (!node.config.kernel_size || block.writes.endsWith(".padded")) return `${t(`kind.${node.kind}`)} → ${out}`;
  const size = (/** @type {unknown} */ v) => pair(v).join(" × ");
  const one = (/** @type {unknown} */ v) => (pair(v)[0] === pair(v)[1] ? String(pair(v)[0]) : size(v));
  const { padding = 0, stride, dilation = 1, groups = 1, padding_mode = "zeros" } = node.config;
  const parts = [t(node.kind === "conv2d" ? "stage.geometry_kernel" : "stage.geometry_window", { k: size(node.config.kernel_size) }), t("stage.geometry_stride", { s: one(stride ?? 1) })];
  if (typeof padding === "string") parts.push(t("stage.geometry_padding", { p: padding }));
  else if (pair(padding).some(Boolean)) parts.push(t("stage.geometry_padding", { p: `${one(padding)}${padding_mode === "zeros" ? "" : ` (${padding_mode})`}` }));
  else parts.push(t("stage.geometry_no_padding"));
  if (pair(dilation).some((d) => d > 1)) parts.push(t("stage.geometry_dilation", { d: one(dilation) }));
  if (groups > 1) parts.push(t("stage.geometry_groups", { g: groups }));
  return `${parts.join(t("stage.comma"))} → ${out}`;
}
