import * as activation from "./activation.js";
import * as add from "./add.js";
import * as avgpool2d from "./avgpool2d.js";
import * as concat from "./concat.js";
import * as conv2d from "./conv2d.js";
import * as dense from "./dense.js";
import * as elu from "./elu.js";
import * as flatten from "./flatten.js";
import * as gelu from "./gelu.js";
import * as generic from "./generic.js";
import * as global_avgpool2d from "./global_avgpool2d.js";
import * as input from "./input.js";
import * as leaky_relu from "./leaky_relu.js";
import * as maxpool2d from "./maxpool2d.js";
import * as relu from "./relu.js";
import * as sigmoid from "./sigmoid.js";
import * as softmax from "./softmax.js";
import * as tanh from "./tanh.js";

/**
 * A view: how a step of a layer is drawn, and what is said about it.
 * @typedef {{View: (props: any) => any, explain: (props: import("../types.d.ts").StageProps) => {key: string, args: Record<string, string | number>}[]}} ViewModule
 */

/**
 * One view per kind; the file has the kind's name. A kind without one gets the generic view.
 * @type {Record<string, ViewModule>}
 */
export const VIEWS = {
  activation, add, avgpool2d, concat, conv2d, dense, elu, flatten, gelu, global_avgpool2d, input, leaky_relu, maxpool2d, relu, sigmoid, softmax, tanh,
};

/** @param {string} kind @returns {ViewModule} */
export function viewOf(kind) {
  return VIEWS[kind] ?? generic;
}
