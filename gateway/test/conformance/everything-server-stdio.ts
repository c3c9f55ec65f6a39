/** The stdio form of the everything-server: the client's first message decides which era the process speaks. */
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createEverythingServer, createEverythingState } from './everything-server.ts';

const state = createEverythingState();
serveStdio(({ era }) => createEverythingServer(state, era));
