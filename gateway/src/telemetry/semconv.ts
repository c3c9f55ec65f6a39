/**
 * The names of OpenTelemetry conventions that the record uses, copied as constants, so that an upgrade of a package
 * cannot rename a column. Sources and status (all checked November 2026):
 * - MCP, GenAI: open-telemetry/semantic-conventions-genai, docs/gen-ai/mcp.md and model/mcp/*.yaml (Development; they
 *   left semantic-conventions in v1.42.0, where the same names are marked as moved).
 * - user.*, client.*, network.*, server.*, http.*, rpc.*, error.*, service.*: open-telemetry/semantic-conventions
 *   v1.44.0 (user.*: Development; rpc.*: release candidate; the others: stable).
 * Own names (`gatelens.*`) are in record/fields.ts and record/payload-events.ts. Nothing here is read from the network.
 */

export const ATTR_MCP_METHOD_NAME = 'mcp.method.name';
export const ATTR_MCP_PROTOCOL_VERSION = 'mcp.protocol.version';
export const ATTR_MCP_RESOURCE_URI = 'mcp.resource.uri';
export const ATTR_GEN_AI_TOOL_NAME = 'gen_ai.tool.name';
export const ATTR_GEN_AI_PROMPT_NAME = 'gen_ai.prompt.name';
export const ATTR_GEN_AI_OPERATION_NAME = 'gen_ai.operation.name';
export const GEN_AI_OPERATION_EXECUTE_TOOL = 'execute_tool';
export const ATTR_JSONRPC_REQUEST_ID = 'jsonrpc.request.id';
export const ATTR_RPC_RESPONSE_STATUS_CODE = 'rpc.response.status_code';
export const ATTR_HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code';
export const ATTR_ERROR_TYPE = 'error.type';
export const ERROR_TYPE_OTHER = '_OTHER';
export const ERROR_TYPE_TOOL = 'tool_error';
export const ATTR_USER_HASH = 'user.hash';
export const ATTR_CLIENT_ADDRESS = 'client.address';
export const ATTR_SERVER_ADDRESS = 'server.address';
export const ATTR_SERVER_PORT = 'server.port';
export const ATTR_NETWORK_TRANSPORT = 'network.transport';
export const NETWORK_TRANSPORT_TCP = 'tcp';
export const NETWORK_TRANSPORT_PIPE = 'pipe';
export const ATTR_NETWORK_PROTOCOL_NAME = 'network.protocol.name';
export const ATTR_SERVICE_NAME = 'service.name';
export const ATTR_SERVICE_INSTANCE_ID = 'service.instance.id';
export const ATTR_SERVICE_VERSION = 'service.version';

export const METRIC_MCP_SERVER_OPERATION_DURATION = 'mcp.server.operation.duration';
export const METRIC_MCP_CLIENT_OPERATION_DURATION = 'mcp.client.operation.duration';
export const METRIC_MCP_SERVER_SESSION_DURATION = 'mcp.server.session.duration';
export const METRIC_MCP_CLIENT_SESSION_DURATION = 'mcp.client.session.duration';
/** seconds; model/mcp/metrics.yaml */
export const MCP_DURATION_BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] as const;

/**
 * JSON-RPC errors that are the caller's fault: a SERVER span is no error for them, a CLIENT span is
 * (model/mcp/common.yaml: -32700, -32600, -32601, -32602, -32002).
 */
export const CALLER_FAULT_RPC_CODES: ReadonlySet<number> = new Set([-32700, -32600, -32601, -32602, -32002]);

/** Every MCP method of every revision from 2024-11-05 to 2026-07-28, its tasks extension included. */
export const MCP_METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'roots/list',
  'sampling/createMessage',
  'elicitation/create',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/message',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/roots/list_changed',
  'notifications/subscriptions/acknowledged',
  'notifications/elicitation/complete',
  'notifications/tasks',
  'notifications/tasks/status',
  'notifications/tools/list_changed',
]);
