include(${CMAKE_CURRENT_LIST_DIR}/innvestigate-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/InnPlugin.cmake)
