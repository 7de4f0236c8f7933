/*
 * The descriptors that the reader starts from, as pointers: the reader checks a message against its descriptor before
 * it is unpacked, and compares descriptors by address, which an imported C constant does not keep.
 *
 * The other files of this folder come from the public ONNX schema. To renew them, take onnx/onnx-ml.proto from the
 * PyPI package `onnx` (1.23.2 was used; Apache-2.0) and run, in Sources/COnnx:
 *
 *   cp .../onnx/onnx-ml.proto onnx.proto
 *   protoc-c --c_out=. onnx.proto && mv onnx.pb-c.h include/        (protobuf-c 1.4.1)
 */
#ifndef ONNX_DESCRIPTORS_H
#define ONNX_DESCRIPTORS_H

#include "onnx.pb-c.h"

typedef const ProtobufCMessageDescriptor *OnnxDescriptor;

static inline OnnxDescriptor onnx_model_descriptor(void) { return &onnx__model_proto__descriptor; }
static inline OnnxDescriptor onnx_graph_descriptor(void) { return &onnx__graph_proto__descriptor; }
static inline OnnxDescriptor onnx_node_descriptor(void) { return &onnx__node_proto__descriptor; }
static inline OnnxDescriptor onnx_attribute_descriptor(void) { return &onnx__attribute_proto__descriptor; }
static inline OnnxDescriptor onnx_tensor_descriptor(void) { return &onnx__tensor_proto__descriptor; }
static inline OnnxDescriptor onnx_function_descriptor(void) { return &onnx__function_proto__descriptor; }

#endif
