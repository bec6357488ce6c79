module jaegerpeer

go 1.25.0

require github.com/jaegertracing/jaeger v1.62.0 // indirect
