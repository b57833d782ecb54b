(component
  (import "types" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $outparam))
  (import "start" (instance $start
    (export "request" (func (result (own $request))))
    (export "outparam" (func (result (own $outparam))))))
  (import "handler" (instance $handler
    (export "handle" (func (param "request" (own $request)) (param "response-out" (own $outparam))))))
  (core func $request (canon lower (func $start "request")))
  (core func $outparam (canon lower (func $start "outparam")))
  (core func $handle (canon lower (func $handler "handle")))
  (core module $m
    (import "" "request" (func $request (result i32)))
    (import "" "outparam" (func $outparam (result i32)))
    (import "" "handle" (func $handle (param i32 i32)))
    (func (export "run") (call $handle (call $request) (call $outparam))))
  (core instance $i (instantiate $m (with "" (instance
    (export "request" (func $request)) (export "outparam" (func $outparam)) (export "handle" (func $handle))))))
  (func $run (canon lift (core func $i "run")))
  (export "run" (func $run)))
