# inn_onnx_messages(OUT WHAT): OUT becomes the C file of ONNX's messages, generated below this directory's build folder, which also
# holds its header; empty, after saying that WHAT is not built, where the tools are missing. Users link PkgConfig::PROTOBUF_C.
function(inn_onnx_messages out what)
  set(${out} "" PARENT_SCOPE)
  pkg_check_modules(PROTOBUF_C IMPORTED_TARGET libprotobuf-c)
  find_program(PROTOC_C protoc-c)
  find_file(ONNX_PROTO onnx/onnx.proto PATHS /usr/include /usr/local/include)
  if(NOT PROTOBUF_C_FOUND OR NOT PROTOC_C OR NOT ONNX_PROTO)
    message(STATUS "${what}: not built (needs libprotobuf-c-dev, protobuf-c-compiler, libonnx-dev)")
    return()
  endif()
  get_filename_component(proto_dir ${ONNX_PROTO} DIRECTORY)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/onnx.pb-c.c)
  add_custom_command(OUTPUT ${generated} ${CMAKE_CURRENT_BINARY_DIR}/onnx.pb-c.h
    COMMAND ${PROTOC_C} --proto_path=${proto_dir} --c_out=${CMAKE_CURRENT_BINARY_DIR} ${ONNX_PROTO} DEPENDS ${ONNX_PROTO})
  set_source_files_properties(${generated} PROPERTIES COMPILE_OPTIONS -w)
  set(${out} ${generated} PARENT_SCOPE)
endfunction()
