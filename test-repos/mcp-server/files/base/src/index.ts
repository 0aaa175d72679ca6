#!/usr/bin/env node
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";
import { readNote, searchNotes } from "./tools/notes.js";

const folder = process.env.NOTES_DIR ?? "notes";
const server = new McpServer({ name: "notes-mcp-server", version: "0.3.0" });

server.registerTool(
  "search_notes",
  {
    title: "Search notes",
    description: "The names of the notes that hold a text",
    inputSchema: { text: z.string().min(1), limit: z.number().int().min(1).max(50).default(10) },
  },
  async ({ text, limit }) => {
    const names = await searchNotes(folder, text, limit);
    return { content: [{ type: "text", text: names.join("\n") || "No note holds it." }] };
  },
);

server.registerTool(
  "read_note",
  { title: "Read a note", description: "The whole text of a note", inputSchema: { name: z.string().min(1) } },
  async ({ name }) => ({ content: [{ type: "text", text: await readNote(folder, name) }] }),
);

// stdout belongs to the protocol, so messages go to stderr.
await server.connect(new StdioServerTransport());
console.error(`notes-mcp-server serves ${folder}`);
