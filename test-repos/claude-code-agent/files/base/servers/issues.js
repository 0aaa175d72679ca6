#!/usr/bin/env node
// A stdio MCP server in one file: lists the open issues of the shop.
import { createInterface } from "node:readline";

const TOOL = {
  name: "open_issues",
  description: "The open issues that mention a word.",
  inputSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
};
const ISSUES = ["12 the basket forgets its contents", "15 invoices lack the order number"];

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "issues", version: "1.0.0" },
  }),
  "tools/list": () => ({ tools: [TOOL] }),
  "tools/call": ({ arguments: { word } }) => ({
    content: [{ type: "text", text: ISSUES.filter((issue) => issue.includes(word)).join("\n") }],
  }),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = answers[method];
  const body = answer ? { result: answer(params ?? {}) } : { error: { code: -32601, message: `no method ${method}` } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...body })}\n`);
});
